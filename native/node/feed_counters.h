// What a feed's lines and their recovery have counted, as named counters in shared memory, for who watches the node:
// `feed.NAME.gaps`, `feed.NAME.A.skipped` and so on.
#pragma once

#include "journal/counters.h"
#include "node/feed_handler.h"

namespace openbell {

class FeedCounters {
  public:
    FeedCounters(Counters& page, const std::string& feed, std::size_t lines);
    void publish(const FeedHandler& handler, const FeedPorts& ports);

  private:
    struct Line {
        Counter packets, first, skipped, lag_ns, lag_ns_max, dropped, heard_ns;
    };
    std::vector<Line> lines_;
    Counter behind_, gaps_, requests_, recovered_, lost_, wrong_session_, malformed_, strangers_, waited_ns_,
        waited_ns_max_;
    Counter duplicates_, sessions_, silences_, stale_, mendings_;
    Counter quarantined_, filtered_, follow_ups_, no_room_;
    std::vector<std::pair<Check, Counter>> failed_;
    Counter recovering_, snapshot_tries_, snapshots_, snapshots_given_up_, restarts_;
};

}  // namespace openbell
