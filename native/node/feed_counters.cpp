#include "node/feed_counters.h"

namespace openbell {

namespace {

constexpr std::pair<Check, const char*> kChecksOfEdge[] = {
    {Check::PxBand, "failed_px_band"}, {Check::PxTick, "failed_px_tick"},       {Check::QtyBand, "failed_qty_band"},
    {Check::QtyLot, "failed_qty_lot"}, {Check::ClockBack, "failed_clock_back"}, {Check::Malformed, "failed_malformed"},
};

}  // namespace

FeedCounters::FeedCounters(Counters& page, const std::string& feed, std::size_t lines) {
    const auto name = [&](const char* what) { return page.counter("feed." + feed + "." + what); };
    behind_ = name("behind"), gaps_ = name("gaps"), requests_ = name("requests"), recovered_ = name("recovered"),
    lost_ = name("lost");
    wrong_session_ = name("wrong_session"), malformed_ = name("malformed"), strangers_ = name("strangers");
    waited_ns_ = name("waited_ns"), waited_ns_max_ = name("waited_ns_max");
    recovering_ = name("recovering"), restarts_ = name("restarts"), snapshots_ = name("snapshots");
    snapshot_tries_ = name("snapshot_tries"), snapshots_given_up_ = name("snapshots_given_up");
    duplicates_ = name("duplicates"), sessions_ = name("sessions");
    silences_ = name("silences"), mendings_ = name("mendings"), stale_ = name("stale");
    quarantined_ = name("quarantined"), filtered_ = name("filtered");
    follow_ups_ = name("follow_ups"), no_room_ = name("no_room");
    for (const auto& [check, text] : kChecksOfEdge) failed_.push_back({check, name(text)});
    for (std::size_t i = 0; i < lines; ++i) {
        const std::string letter(1, char('A' + i));
        const auto of_line = [&](const char* what) { return name((letter + "." + what).c_str()); };
        lines_.push_back({of_line("packets"), of_line("first"), of_line("skipped"), of_line("lag_ns"),
                          of_line("lag_ns_max"), of_line("dropped"), of_line("heard_ns")});
    }
}

void FeedCounters::publish(const FeedHandler& handler, const FeedPorts& ports) {
    const MoldCounters& mold = handler.receiver().counters();
    const FeedHandler::Counters& feed = handler.counters();
    for (std::size_t i = 0; i < lines_.size(); ++i) {
        const LineCounters& line = mold.lines[i];
        lines_[i].packets.set(line.packets);
        lines_[i].first.set(line.delivered);
        lines_[i].skipped.set(line.skipped);
        lines_[i].lag_ns.set(u64(line.lag.mean_ns));
        lines_[i].lag_ns_max.set(u64(line.lag.max_ns));
        lines_[i].dropped.set(ports.lines[i]->dropped());
        lines_[i].heard_ns.set(u64(feed.heard_ns[i]));
    }
    behind_.set(handler.receiver().known_end() - handler.receiver().next_seq());
    gaps_.set(mold.gaps);
    requests_.set(mold.requests);
    recovered_.set(mold.recovered);
    lost_.set(mold.lost);
    wrong_session_.set(mold.wrong_session);
    malformed_.set(mold.malformed);
    strangers_.set(feed.strangers);
    duplicates_.set(mold.duplicates);
    sessions_.set(feed.sessions);
    silences_.set(feed.silences);
    mendings_.set(feed.mendings);
    stale_.set(handler.is_stale());
    const EdgeCounters& edge = handler.feed().checks().counters();
    quarantined_.set(edge.quarantined);
    filtered_.set(edge.filtered);
    follow_ups_.set(edge.follow_ups);
    no_room_.set(edge.no_room);
    for (auto& [check, counter] : failed_) counter.set(edge.failed[std::size_t(check)]);
    waited_ns_.set(u64(feed.waited_ns));
    waited_ns_max_.set(u64(feed.waited_ns_max));
    recovering_.set(handler.is_recovering());
    restarts_.set(feed.restarts);
    if (handler.snapshots() == nullptr) return;
    snapshots_.set(handler.snapshots()->counters().snapshots);
    snapshot_tries_.set(handler.snapshots()->counters().tries);
    snapshots_given_up_.set(handler.snapshots()->counters().given_up);
}

}  // namespace openbell
