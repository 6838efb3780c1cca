// One order-entry session: OUCH over a stream, as a route for commands and a source of reports.
#pragma once

#include "net/ports.h"
#include "node/driver.h"
#include "venue/ouch_session.h"

namespace openbell {

class OrderSession final : public Route, private VenueSink {
  public:
    struct Config {
        u16 source = source::kOrderEntry;
        i64 reconnect_ns = 250'000'000;         // wait after the first failure; doubled by each one that follows
        i64 reconnect_max_ns = 10'000'000'000;  // and never longer
    };
    // `gate`: what lets commands pass; the rest of an opening one leaves only while it would let it.
    OrderSession(const Config& config, StreamPort& port, OuchSession& session, const Gate& gate, Clock& clock);

    // The driver is told of reports; it in turn sends commands here.
    void attach(Driver& driver) { driver_ = &driver; }

    SendOutcome send(const Order& command, const Engine& engine, i64 now_ns) override;
    // Connects, receives, flushes; whether anything happened.
    bool poll(i64 now_ns);
    void log_out() { session_.log_out(); }
    const OuchSession& session() const { return session_; }
    bool is_up() const { return was_up_; }

  private:
    static constexpr std::size_t kReceiveBytes = 64 * 1024;

    void on_reports(std::span<const Report> reports, u64 source_seq) override;
    void on_control(const Control& control) override;
    void follow_connection(i64 now_ns);
    bool receive(i64 now_ns);
    SendOutcome refusal(Reason reason) const;
    void flush();
    i64 next_wait();

    Config config_;
    StreamPort& port_;
    OuchSession& session_;
    const Gate& gate_;
    Clock& clock_;
    Driver* driver_ = nullptr;
    bool was_up_ = false;
    i64 retry_at_ = 0;
    i64 wait_ns_;
    std::size_t opening_bytes_ = 0;  // at the front of `outgoing`: the rest of a new order or replace
    u64 opening_requests_ = 0;       // of the kill cell when it passed the gate
    std::vector<u8> buffer_;
};

}  // namespace openbell
