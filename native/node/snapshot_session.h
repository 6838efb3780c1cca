// The snapshots of one feed: connects, logs in, reads, and does so again later when that did not help.
//
// It waits twice as long after each try, and gives up after some: then a person has to look (the status says so), or
// the next loss asks again.
#pragma once

#include "feed/glimpse_client.h"
#include "net/ports.h"

namespace openbell {

class SnapshotSession {
  public:
    struct Config {
        GlimpseClient::Config login;
        i64 connect_timeout_ns = 5'000'000'000;
        i64 retry_ns = 100'000'000;  // after the first try that failed; doubled by each one
        i64 retry_ns_max = 10'000'000'000;
        u32 tries_max = 10;
    };
    struct Counters {
        u64 tries = 0;
        u64 snapshots = 0;  // that were used
        u64 given_up = 0;
    };

    SnapshotSession(const Config& config, StreamPort& port);

    void start(i64 now_ns);  // a snapshot is wanted; from its beginning if one was being read
    void stop();             // none is
    // Reads for at most one buffer. Whether anything happened; after the last try `has_given_up`.
    bool poll(i64 now_ns, GlimpseListener& to);
    i64 deadline_ns() const;

    bool is_wanted() const { return is_wanted_; }
    bool has_given_up() const { return has_given_up_; }
    GlimpseEnd last_end() const { return client_.end(); }
    const Counters& counters() const { return counters_; }
    bool wants_to_write() const { return !client_.outgoing().empty(); }

  private:
    static constexpr std::size_t kReceiveBytes = 64 * 1024;

    void connect(i64 now_ns);
    bool read(i64 now_ns, GlimpseListener& to);
    void settle(i64 now_ns);

    Config config_;
    StreamPort& port_;
    GlimpseClient client_;
    std::vector<u8> buffer_;
    bool is_wanted_ = false;
    bool has_given_up_ = false;
    bool is_trying_ = false;
    bool is_logged_in_ = false;  // the connection is up and the client knows it
    u32 tries_ = 0;              // since `start`
    i64 since_ns_ = 0;           // of this try
    i64 next_try_ns_ = 0;
    Counters counters_;
};

}  // namespace openbell
