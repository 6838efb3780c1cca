// A control record of our own, with the fields that most of them leave empty.
#pragma once

#include <cstring>
#include <string_view>

#include "records.h"

namespace openbell {

inline Control make_control(Type type, i64 ts_event, u16 source = 0, u32 code = 0, std::string_view text = {}) {
    Control control{};
    control.type = u8(type);
    control.strategy = kNoStrategy;
    control.instrument = kNoInstrument;
    control.ts_event = ts_event;
    control.source = source;
    control.code = code;
    text.copy(control.text, sizeof control.text - 1);
    return control;
}

}  // namespace openbell
