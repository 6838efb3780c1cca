// Rates of currencies to the base currency, as `Conversion` records give them, and each instrument's scale of money.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "money.h"
#include "state.h"

namespace openbell {

class Conversions {
  public:
    static constexpr u32 kCurrenciesMax = 64;

    explicit Conversions(u32 instruments_max) : scales_(instruments_max), amount_scales_(instruments_max) {
        rates_.reserve(kCurrenciesMax);
    }

    // A rate of zero or less takes the currency's rate away. Instruments have to be told again. False: there is no room
    // for another currency.
    bool set_rate(const Control& conversion) {
        u32 currency;
        std::memcpy(&currency, conversion.text, sizeof currency);
        const auto at = std::lower_bound(rates_.begin(), rates_.end(), currency,
                                         [](const Rate& r, u32 wanted) { return r.currency < wanted; });
        const bool is_new = at == rates_.end() || at->currency != currency;
        if (is_new && rates_.size() == kCurrenciesMax) return false;
        const Rate rate{conversion.values[0], currency, 0};
        if (is_new)
            rates_.insert(at, rate);
        else
            *at = rate;
        return true;
    }
    void set_instrument(const Instrument& instrument) {
        u32 currency;
        std::memcpy(&currency, instrument.currency, sizeof currency);
        Instrument amount{};
        amount.px_decimals = kMoneyDecimals;
        amount.multiplier = 1;
        scales_[instrument.instrument] = money_scale_of(instrument, rate_of(currency));
        amount_scales_[instrument.instrument] = money_scale_of(amount, rate_of(currency));
    }
    const MoneyScale& scale(u32 instrument) const { return scales_[instrument]; }
    // Of amounts in 1e-4 of the instrument's currency, as fees are.
    const MoneyScale& amount_scale(u32 instrument) const { return amount_scales_[instrument]; }

    void save(StateWriter& out) const {
        out.put(u64(rates_.size()));
        for (const Rate& rate : rates_) out.put(rate);
    }
    // Before the instruments are told again.
    void load(StateReader& in) {
        rates_.clear();
        for (u64 n = in.get<u64>(); n > 0; --n) rates_.push_back(in.get<Rate>());
    }

  private:
    struct Rate {
        i64 rate;
        u32 currency;  // its letters
        u32 pad;
    };
    i64 rate_of(u32 currency) const {
        for (const Rate& rate : rates_)
            if (rate.currency == currency) return rate.rate;
        return 0;
    }

    std::vector<Rate> rates_;         // by currency
    std::vector<MoneyScale> scales_;  // by instrument
    std::vector<MoneyScale> amount_scales_;
};

}  // namespace openbell
