// Errors about the world. Each kind becomes the class of the same name in openbell.errors.
#pragma once

#include <stdexcept>
#include <string>

namespace openbell {

enum class ErrorKind {
    Config,
    Journal,
    JournalDamaged,
    JournalLocked,
    Snapshot,
    Decode,
    Capacity,
    Net,
    Strategy,
    Invariant
};

// The message says what was expected, what was found, where, and the next step, in that order.
class Error : public std::runtime_error {
  public:
    Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
    ErrorKind kind() const { return kind_; }

  private:
    ErrorKind kind_;
};

}  // namespace openbell
