// What our fills cost, as `FeeRate` records tell it: terms by the venue's liquidity flag.
#pragma once

#include <array>
#include <vector>

#include "fee_terms.h"
#include "state.h"

namespace openbell {

class FeeSchedule {
  public:
    explicit FeeSchedule(u32 instruments_max) : values_(instruments_max) {}

    // The terms of every flag that the record's text names; without any, of the flags that no record has named.
    void set_rate(const Control& rate) {
        const FeeTerms terms{rate.values[0], rate.values[1], i64(rate.code), rate.values[2], rate.values[3]};
        const std::size_t flags = strnlen(rate.text, sizeof rate.text);
        if (flags == 0) others_ = terms;
        for (std::size_t i = 0; i < flags; ++i) {
            const u8 flag = u8(rate.text[i]);
            terms_[flag] = terms;
            is_named_[flag] = 1;
        }
    }
    void set_instrument(const Instrument& instrument) {
        values_[instrument.instrument] = money_scale_of(instrument, kRateOne);
    }

    // In 1e-4 of the instrument's currency; what 64 bits cannot hold is the most there is: nobody trades on after it.
    i64 fee(u32 instrument, u8 flag, i64 px, i64 qty) const {
        const FeeTerms& terms = is_named_[flag] ? terms_[flag] : others_;
        return fee_of(terms, values_[instrument], px, qty).value_or(kMoneyMax);
    }

    void save(StateWriter& out) const {
        out.put(others_);
        for (std::size_t flag = 0; flag < is_named_.size(); ++flag) {
            out.put(is_named_[flag]);
            if (is_named_[flag]) out.put(terms_[flag]);
        }
    }
    void load(StateReader& in) {
        others_ = in.get<FeeTerms>();
        for (std::size_t flag = 0; flag < is_named_.size(); ++flag) {
            is_named_[flag] = in.get<u8>();
            terms_[flag] = is_named_[flag] ? in.get<FeeTerms>() : FeeTerms{};
        }
    }

  private:
    std::array<FeeTerms, 256> terms_{};
    std::array<u8, 256> is_named_{};
    FeeTerms others_{};
    std::vector<MoneyScale> values_;  // by instrument, to 1e-4 of its own currency
};

}  // namespace openbell
