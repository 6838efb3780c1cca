// SoupBinTCP 3.00: the packets of a TCP stream, both directions.
//
//  0        2      3
//  | length | type | payload ... |     length counts type and payload: 1 for an empty packet
//
// Text fields are read liberally (spaces of either side stripped, numbers padded on either side) because
// peers differ; they are written as the document says. Source: SoupBinTCP 3.00, section 2.
#pragma once

#include <optional>

#include "wire/layout.h"

namespace openbell::soup {

inline constexpr std::size_t kLengthBytes = 2;
inline constexpr std::size_t kHeaderBytes = 3;          // length and type
inline constexpr std::size_t kPayloadBytesMax = 65534;  // of the protocol; a session may bound it further
inline constexpr std::size_t kLoginRequestBytes = 46;   // payload; newer clients append a field
inline constexpr std::size_t kLoginAcceptedBytes = 30;

namespace type {
inline constexpr char kDebug = '+';
inline constexpr char kLoginAccepted = 'A';
inline constexpr char kLoginRejected = 'J';
inline constexpr char kSequenced = 'S';
inline constexpr char kServerHeartbeat = 'H';
inline constexpr char kEndOfSession = 'Z';
inline constexpr char kLoginRequest = 'L';
inline constexpr char kUnsequenced = 'U';
inline constexpr char kClientHeartbeat = 'R';
inline constexpr char kLogout = 'O';
}  // namespace type

enum class RejectReason : char { NotAuthorized = 'A', SessionNotAvailable = 'S' };

struct Packet {
    char type = '\0';
    Bytes payload;
};

// Incomplete: nothing is used, come back with more bytes. Broken: the stream cannot be followed any
// further (length 0, or more than the session allows): close the connection.
enum class Framing : u8 { Incomplete, Complete, Broken };

struct Parsed {
    Framing framing = Framing::Incomplete;
    Packet packet;         // Complete only; the payload points into the stream
    std::size_t used = 0;  // bytes to drop from the stream
};

inline Parsed parse(Bytes stream, std::size_t payload_max = kPayloadBytesMax) {
    ByteReader in(stream);
    const std::size_t length = in.be16();
    if (in.failed()) return {};
    if (length == 0 || length - 1 > payload_max) return {Framing::Broken, {}, 0};
    if (in.remaining() < length) return {};
    const char packet_type = char(in.be8());
    return {Framing::Complete, {packet_type, in.take(length - 1)}, kLengthBytes + length};
}

// One packet of any type; `out.failed()` when payload or buffer are too small or too large.
inline bool write(ByteWriter& out, char packet_type, Bytes payload = {}) {
    if (payload.size() > kPayloadBytesMax) return false;
    out.be16(u16(payload.size() + 1));
    out.be8(u8(packet_type));
    out.put(payload);
    return !out.failed();
}

inline bool write_sequenced(ByteWriter& out, Bytes message) { return write(out, type::kSequenced, message); }
inline bool write_unsequenced(ByteWriter& out, Bytes message) { return write(out, type::kUnsequenced, message); }
inline bool write_server_heartbeat(ByteWriter& out) { return write(out, type::kServerHeartbeat); }
inline bool write_client_heartbeat(ByteWriter& out) { return write(out, type::kClientHeartbeat); }
inline bool write_end_of_session(ByteWriter& out) { return write(out, type::kEndOfSession); }
inline bool write_logout(ByteWriter& out) { return write(out, type::kLogout); }
inline bool write_debug(ByteWriter& out, std::string_view text) {
    return write(out, type::kDebug, {reinterpret_cast<const u8*>(text.data()), text.size()});
}

// ---- login ---------------------------------------------------------------------------------------

using Session = Alpha<10>;
using Number = Alpha<20>;  // ASCII decimal digits

constexpr Number number_field(u64 value) {
    Number out;
    std::size_t at = out.chars.size();
    do out.chars[--at] = char('0' + value % 10);
    while (value /= 10);
    return out;
}

// Nothing for a blank field, a character that is no digit, or a number beyond 64 bits.
constexpr std::optional<u64> parse_number(const Number& field) {
    const std::string_view digits = field.trimmed();
    if (digits.empty()) return std::nullopt;
    u64 value = 0;
    for (char c : digits) {
        if (c < '0' || c > '9') return std::nullopt;
        if (__builtin_mul_overflow(value, u64(10), &value)) return std::nullopt;
        if (__builtin_add_overflow(value, u64(c - '0'), &value)) return std::nullopt;
    }
    return value;
}

// User names and passwords are compared without regard to case and padding.
constexpr bool same_text(std::string_view a, std::string_view b) {
    constexpr auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? char(c + ('a' - 'A')) : c; };
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (lower(a[i]) != lower(b[i])) return false;
    return true;
}

struct LoginRequest {
    Alpha<6> user;
    Alpha<10> password;
    Session session;   // blank: the server's current session
    u64 next_seq = 1;  // first message wanted; 0: only what is generated from now on
};

struct LoginAccepted {
    Session session;
    u64 next_seq = 1;  // number of the next sequenced message that will be sent
};

inline bool write_login_request(ByteWriter& out, const LoginRequest& login) {
    out.be16(u16(kLoginRequestBytes + 1));
    out.be8(u8(type::kLoginRequest));
    out.text(login.user.trimmed(), 6);
    out.text(login.password.trimmed(), 10);
    out.text(Session::right(login.session.trimmed()).raw(), 10);
    out.text(number_field(login.next_seq).raw(), 20);
    return !out.failed();
}

inline bool write_login_accepted(ByteWriter& out, const LoginAccepted& login) {
    out.be16(u16(kLoginAcceptedBytes + 1));
    out.be8(u8(type::kLoginAccepted));
    out.text(Session::right(login.session.trimmed()).raw(), 10);
    out.text(number_field(login.next_seq).raw(), 20);
    return !out.failed();
}

inline bool write_login_rejected(ByteWriter& out, RejectReason reason) {
    const u8 code = u8(reason);
    return write(out, type::kLoginRejected, {&code, 1});
}

// Nothing when the payload is too short or its number is none. Longer ones are accepted: SoupBinTCP 4.10
// appends a heartbeat timeout.
inline std::optional<LoginRequest> parse_login_request(Bytes payload) {
    ByteReader in(payload);
    LoginRequest login;
    Number number;
    FieldReader read{in};
    read("user", login.user), read("password", login.password), read("session", login.session);
    read("next_seq", number);
    const auto next_seq = parse_number(number);
    if (in.failed() || !next_seq) return std::nullopt;
    login.next_seq = *next_seq;
    return login;
}

inline std::optional<LoginAccepted> parse_login_accepted(Bytes payload) {
    ByteReader in(payload);
    LoginAccepted login;
    Number number;
    FieldReader read{in};
    read("session", login.session), read("next_seq", number);
    const auto next_seq = parse_number(number);
    if (in.failed() || !next_seq) return std::nullopt;
    login.next_seq = *next_seq;
    return login;
}

inline std::optional<RejectReason> parse_login_rejected(Bytes payload) {
    if (payload.empty()) return std::nullopt;
    return RejectReason(char(payload[0]));
}

}  // namespace openbell::soup
