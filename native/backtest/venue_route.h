// The virtual venue as a route: commands travel to it and reports travel back, each with its latency.
//
// Backtest and paper use it alike; they differ only in who says what time it is.
#pragma once

#include "backtest/virtual_venue.h"
#include "node/driver.h"

namespace openbell {

// First in, first out, of fixed capacity: latencies are constant, so arrival order is sending order.
template <class T>
class DelayLine {
  public:
    explicit DelayLine(std::size_t capacity) : slots_(std::bit_ceil(capacity)) {}
    bool push(i64 arrival, const T& item) {
        if (size() == slots_.size()) return false;
        slots_[tail_++ & (slots_.size() - 1)] = {arrival, item};
        return true;
    }
    bool empty() const { return head_ == tail_; }
    std::size_t size() const { return tail_ - head_; }
    i64 next_arrival() const { return empty() ? std::numeric_limits<i64>::max() : at(head_).arrival; }
    const T& front() const { return at(head_).item; }
    void pop() { ++head_; }

  private:
    struct Slot {
        i64 arrival;
        T item;
    };
    const Slot& at(std::size_t i) const { return slots_[i & (slots_.size() - 1)]; }
    std::vector<Slot> slots_;
    std::size_t head_ = 0;
    std::size_t tail_ = 0;
};

class VenueRoute final : public Route, public MarketTap {
  public:
    static constexpr std::size_t kInFlightMax = 1 << 16;

    VenueRoute(VirtualVenue& venue, const VenueLatency& latency)
        : venue_(venue), latency_(latency), commands_(kInFlightMax), reports_(kInFlightMax) {}

    // What this venue does not play is refused here, as an order session refuses what its protocol cannot say.
    static Reason unplayable(const Order& command) {
        if (command.type == u8(Type::CancelOrder)) return Reason::None;
        const Tif tif = Tif(command.tif);
        if (tif != Tif::Day && tif != Tif::Ioc && tif != Tif::Fok) return Reason::TifNotCarried;
        const bool is_shown_whole = command.display_qty == 0 || command.display_qty == command.qty;
        return is_shown_whole && !(command.flags & kHidden) ? Reason::None : Reason::DisplayNotCarried;
    }

    SendOutcome send(const Order& command, const Engine&, i64 now_ns) override {
        if (const Reason reason = unplayable(command); reason != Reason::None) return {reason, 0};
        const bool sent = commands_.push(now_ns + latency_.order_ns, command);
        if (!sent) return {Reason::SocketFull, 0, kInFlightMax, i64(commands_.size())};
        return {Reason::None, now_ns};
    }

    // Market data reaching the venue itself.
    void on_market(const FrameView& frame, i64 now_ns) override {
        if (frame.header->record_size == sizeof(Market)) {
            const auto* records = reinterpret_cast<const Market*>(frame.records);
            for (const Market& record : std::span(records, frame.count())) venue_.on_market(record, now_ns);
        } else {
            for (std::size_t i = 0; i < frame.count(); ++i)
                if (frame.type_at(i) == Type::Instrument) venue_.add_instrument(frame.as<Instrument>(i));
        }
        if (!venue_.reports().empty()) take_reports(now_ns);
    }
    const Books& books() const { return venue_.books(); }
    i64 next_command() const { return commands_.next_arrival(); }
    void deliver_command() {
        const i64 now_ns = commands_.next_arrival();
        const Order command = commands_.front();
        commands_.pop();
        venue_.on_command(command, now_ns);
        take_reports(now_ns);
    }
    i64 next_report() const { return reports_.next_arrival(); }
    // Every report that arrives at the time of the first, as records of one frame.
    u32 take_due_reports(std::span<Report> out) {
        const i64 arrival = reports_.next_arrival();
        u32 n = 0;
        for (; n < out.size() && !reports_.empty() && reports_.next_arrival() == arrival; ++n) {
            out[n] = reports_.front();
            reports_.pop();
            ++delivered_;
        }
        return n;
    }
    u64 delivered() const { return delivered_; }  // reports so far: the session's sequence number

  private:
    void take_reports(i64 now_ns) {
        for (const Report& report : venue_.reports())
            if (!reports_.push(now_ns + latency_.report_ns, report))
                throw Error(ErrorKind::Capacity, "virtual venue: more than " + std::to_string(kInFlightMax) +
                                                     " reports in flight; lower report_latency");
        venue_.clear_reports();
    }

    VirtualVenue& venue_;
    VenueLatency latency_;
    DelayLine<Order> commands_;
    DelayLine<Report> reports_;
    u64 delivered_ = 0;
};

}  // namespace openbell
