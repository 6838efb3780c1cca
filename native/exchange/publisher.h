// The server's side of MoldUDP64, sans I/O: packs a log into datagrams and answers requests from it.
//
// Every answer is valid until the next call of any verb. Source: MoldUDP64 1.00.
#pragma once

#include <algorithm>

#include "exchange/message_log.h"
#include "wire/moldudp64.h"

namespace openbell::exchange {

class Publisher {
  public:
    // What the log holds already was sent before.
    Publisher(const MessageLog& log, std::string_view session)
        : log_(log), session_(session), live_(session_, log.next_seq()), answer_(session_, 1) {}

    // The next datagram of messages that were not sent yet; empty when all were.
    Bytes next_packet() {
        pack(live_, log_.next_seq());
        return live_.empty() ? Bytes{} : live_.take();
    }
    Bytes heartbeat() { return live_.heartbeat(); }
    Bytes end_of_session() { return live_.end_of_session(); }

    // One datagram from the number asked for, with as many of the messages as fit. Empty, that is silence, for
    // a malformed request, another session, or messages not sent yet.
    Bytes answer(Bytes datagram) {
        auto request = mold::parse_request(datagram);
        if (!request || request->session.trimmed() != session_.trimmed()) return {};
        if (request->seq == 0 || request->seq >= live_.next_seq() || request->count == 0) return {};
        answer_.seek(request->seq);
        pack(answer_, std::min(live_.next_seq(), request->seq + request->count));
        return answer_.take();
    }

  private:
    void pack(mold::PacketBuilder& packet, u64 end) {
        while (packet.next_seq() < end)
            if (packet.add(log_.message(packet.next_seq())) != mold::PacketBuilder::Packed::Yes) return;
    }

    const MessageLog& log_;
    mold::Session session_;
    mold::PacketBuilder live_;
    mold::PacketBuilder answer_;
};

}  // namespace openbell::exchange
