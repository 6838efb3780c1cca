// What Python sees of `records.h`: the layout of every record, from which it builds NumPy dtypes.
#include "records.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <string>

namespace nb = nanobind;

namespace openbell {
namespace {

// NumPy's type string of a C++ field, so that a layout cannot drift from its struct.
template <class T>
std::string dtype_of() {
    if constexpr (std::is_array_v<T>) {
        using Item = std::remove_extent_t<T>;
        const std::string count = std::to_string(std::extent_v<T>);
        if constexpr (std::is_same_v<Item, char>) return std::string("S").append(count);
        return std::string("(").append(count).append(",)").append(dtype_of<Item>());
    } else if constexpr (std::is_floating_point_v<T>) {
        return std::string("<f").append(std::to_string(sizeof(T)));
    } else {
        return std::string(std::is_signed_v<T> ? "<i" : "<u").append(std::to_string(sizeof(T)));
    }
}

struct Layout {
    nb::list fields;
    template <class T>
    void add(const char* name, std::size_t offset) {
        fields.append(nb::make_tuple(name, dtype_of<T>(), offset));
    }
};

// FOR_EACH_FIELD(Record, a, b, ...): layout.add for every field, by the __VA_OPT__ recursion idiom.
#define PARENS ()
#define EXPAND(...) EXPAND3(EXPAND3(EXPAND3(__VA_ARGS__)))
#define EXPAND3(...) EXPAND2(EXPAND2(EXPAND2(__VA_ARGS__)))
#define EXPAND2(...) EXPAND1(EXPAND1(EXPAND1(__VA_ARGS__)))
#define EXPAND1(...) __VA_ARGS__
#define FOR_EACH_FIELD(R, ...) __VA_OPT__(EXPAND(EACH_FIELD(R, __VA_ARGS__)))
#define EACH_FIELD(R, name, ...)                             \
    layout.add<decltype(R::name)>(#name, offsetof(R, name)); \
    __VA_OPT__(EACH_FIELD_AGAIN PARENS(R, __VA_ARGS__))
#define EACH_FIELD_AGAIN() EACH_FIELD
// LAYOUT(Record, fields...): the fields in the order of the struct. A test shows that they tile it.
#define LAYOUT(R, ...)                                          \
    {                                                           \
        Layout layout;                                          \
        FOR_EACH_FIELD(R, __VA_ARGS__)                          \
        layouts[#R] = nb::make_tuple(sizeof(R), layout.fields); \
    }

nb::dict record_layouts() {
    nb::dict layouts;
    LAYOUT(Market, type, flags, tracking, instrument, ts_event, order_id, px, qty, ref)
    LAYOUT(Prices, type, flags, tracking, instrument, ts_event, code, px)
    LAYOUT(Timer, type, flags, strategy, instrument, ts_event, timer_id, pad)
    LAYOUT(Signal, type, flags, strategy, instrument, ts_event, signal_id, value, uid, pid, pad0)
    LAYOUT(Instrument, type, flags, venue, instrument, ts_event, symbol, currency, asset, locate, px_decimals,
           qty_decimals, pad0, tick, lot, multiplier, valid_from, calendar, round_lot, etp_leverage, listing, pad1)
    LAYOUT(Report, type, flags, side, liquidity, instrument, ts_event, cl_ord_id, order_id, exec_id, last_px, last_qty,
           px, leaves_qty, ts_sent, version, prev_version, reason, venue_reason, command, strategy, pad0, tag, pad1)
    LAYOUT(Started, type, flags, node, instrument, ts_event, epoch, pad0, binary_hash, strategies_hash, limits_hash,
           config_hash, seed, pad1)
    LAYOUT(Limit, type, flags, strategy, instrument, ts_event, value, window_ns, reserve, kind, scope, account, version,
           owner, approver, pad1)
    LAYOUT(Control, type, flags, strategy, instrument, ts_event, code, source, pad0, values, text)
    LAYOUT(Intent, type, kind, side, tif, instrument, ts_event, bid_px, bid_qty, ask_px, ask_qty, px, qty, cl_ord_id,
           tag, as_of_seq, strategy, basket, collar_bps, flags, trigger, display_qty, stop_px, trail, expires_ns)
    LAYOUT(Order, type, flags, side, tif, instrument, ts_event, cl_ord_id, px, qty, prev_px, prev_qty, limit, observed,
           version, strategy, reason, tag, intent_seq, prev_version, scope, kind, account, leaves_qty, limits_version,
           expires_s, display_qty)
    LAYOUT(TimerArmed, type, flags, strategy, instrument, ts_event, timer_id, deadline, pad1)
    LAYOUT(StrategyState, type, flags, strategy, instrument, ts_event, offset, length, size, bytes)
    LAYOUT(ExchangeInput, type, flags, length, instrument, ts_event, account, verb, pad0, bytes)
    LAYOUT(Quarantined, type, flags, check, length, instrument, ts_event, count, bytes)
    LAYOUT(Hash, type, flags, pad0, instrument, ts_event, rolling, state, decisions, pad1)
    return layouts;
}

// Python spells the members as constants are spelled there: Type.BookAdd is openbell.types.Type.BOOK_ADD.
void bind_enums(nb::module_& m) {
    nb::enum_<Type>(m, "Type", nb::is_arithmetic())
        .value("BOOK_ADD", Type::BookAdd)
        .value("BOOK_MODIFY", Type::BookModify)
        .value("BOOK_CANCEL", Type::BookCancel)
        .value("BOOK_EXECUTE", Type::BookExecute)
        .value("BOOK_CLEAR", Type::BookClear)
        .value("BOOK_LEVEL", Type::BookLevel)
        .value("QUOTE", Type::Quote)
        .value("TRADE", Type::Trade)
        .value("TRADE_BUST", Type::TradeBust)
        .value("STATUS", Type::Status)
        .value("IMBALANCE", Type::Imbalance)
        .value("AUCTION_PRICES", Type::AuctionPrices)
        .value("AUCTION_COLLAR", Type::AuctionCollar)
        .value("DIRECT_LISTING", Type::DirectListing)
        .value("BREAKER_LEVELS", Type::BreakerLevels)
        .value("TIMER", Type::Timer)
        .value("BREAKER", Type::Breaker)
        .value("VENUE_HALT", Type::VenueHalt)
        .value("SHORT_SALE", Type::ShortSale)
        .value("PARTICIPANT", Type::Participant)
        .value("IPO_QUOTING", Type::IpoQuoting)
        .value("RETAIL_INTEREST", Type::RetailInterest)
        .value("FEED_CHECK", Type::FeedCheck)
        .value("SIGNAL", Type::Signal)
        .value("INSTRUMENT", Type::Instrument)
        .value("ACCEPTED", Type::Accepted)
        .value("REJECTED", Type::Rejected)
        .value("REPLACED", Type::Replaced)
        .value("CANCELED", Type::Canceled)
        .value("CANCEL_REJECTED", Type::CancelRejected)
        .value("FILLED", Type::Filled)
        .value("CORRECTED", Type::Corrected)
        .value("BUSTED", Type::Busted)
        .value("EXPIRED", Type::Expired)
        .value("SENT", Type::Sent)
        .value("NOT_SENT", Type::NotSent)
        .value("DENIED", Type::Denied)
        .value("STARTED", Type::Started)
        .value("OPERATOR", Type::Operator)
        .value("PARAMETERS", Type::Parameters)
        .value("ARM", Type::Arm)
        .value("KILL", Type::Kill)
        .value("CONNECTED", Type::Connected)
        .value("DISCONNECTED", Type::Disconnected)
        .value("GAP", Type::Gap)
        .value("RECOVERED", Type::Recovered)
        .value("HEARTBEAT", Type::Heartbeat)
        .value("TRADING_DAY", Type::TradingDay)
        .value("CLOCK_OFFSET", Type::ClockOffset)
        .value("OVERRUN", Type::Overrun)
        .value("CHECKPOINT", Type::Checkpoint)
        .value("STRATEGY_HALTED", Type::StrategyHalted)
        .value("RESOLVED", Type::Resolved)
        .value("TAPE_REF", Type::TapeRef)
        .value("EXCHANGE_INPUT", Type::ExchangeInput)
        .value("QUARANTINED", Type::Quarantined)
        .value("LIMIT", Type::Limit)
        .value("CONVERSION", Type::Conversion)
        .value("FEE_RATE", Type::FeeRate)
        .value("ADJUSTMENT", Type::Adjustment)
        .value("BREAK", Type::Break)
        .value("SAID", Type::Said)
        .value("INTENT", Type::Intent)
        .value("APPROVED", Type::Approved)
        .value("REFUSED", Type::Refused)
        .value("NEW_ORDER", Type::NewOrder)
        .value("REPLACE_ORDER", Type::ReplaceOrder)
        .value("CANCEL_ORDER", Type::CancelOrder)
        .value("MASS_CANCEL", Type::MassCancel)
        .value("TIMER_ARMED", Type::TimerArmed)
        .value("STRATEGY_STATE", Type::StrategyState)
        .value("HASH", Type::Hash)
        .value("TRIPPED", Type::Tripped)
        .value("STOP_HELD", Type::StopHeld)
        .value("STOP_ENDED", Type::StopEnded);
    nb::enum_<Side>(m, "Side", nb::is_arithmetic()).value("BUY", Side::Buy).value("SELL", Side::Sell);
    nb::enum_<Tif>(m, "Tif", nb::is_arithmetic())
        .value("DAY", Tif::Day)
        .value("GTC", Tif::Gtc)
        .value("AT_OPEN", Tif::AtOpen)
        .value("IOC", Tif::Ioc)
        .value("FOK", Tif::Fok)
        .value("GTD", Tif::Gtd)
        .value("AT_CLOSE", Tif::AtClose);
    nb::enum_<OrderState>(m, "OrderState", nb::is_arithmetic())
        .value("NONE", OrderState::None)
        .value("PENDING_NEW", OrderState::PendingNew)
        .value("NEW", OrderState::New)
        .value("PARTIALLY_FILLED", OrderState::PartiallyFilled)
        .value("PENDING_REPLACE", OrderState::PendingReplace)
        .value("PENDING_CANCEL", OrderState::PendingCancel)
        .value("IN_DOUBT", OrderState::InDoubt)
        .value("FILLED", OrderState::Filled)
        .value("CANCELED", OrderState::Canceled)
        .value("REJECTED", OrderState::Rejected)
        .value("EXPIRED", OrderState::Expired);
    nb::enum_<ArmState>(m, "ArmState", nb::is_arithmetic())
        .value("OFF", ArmState::Off)
        .value("SHADOW", ArmState::Shadow)
        .value("CANCEL_ONLY", ArmState::CancelOnly)
        .value("REDUCE_ONLY", ArmState::ReduceOnly)
        .value("LIMITED", ArmState::Limited)
        .value("FULL", ArmState::Full);
    nb::enum_<LimitScope>(m, "LimitScope", nb::is_arithmetic())
        .value("NONE", LimitScope::None)
        .value("FIRM", LimitScope::Firm)
        .value("ACCOUNT", LimitScope::Account)
        .value("STRATEGY", LimitScope::Strategy)
        .value("INSTRUMENT", LimitScope::Instrument)
        .value("STRATEGY_INSTRUMENT", LimitScope::StrategyInstrument);
    nb::enum_<LimitKind>(m, "LimitKind", nb::is_arithmetic())
        .value("NONE", LimitKind::None)
        .value("ORDER_QTY", LimitKind::OrderQty)
        .value("ORDER_NOTIONAL", LimitKind::OrderNotional)
        .value("COLLAR_BPS", LimitKind::CollarBps)
        .value("DRIFT_BPS", LimitKind::DriftBps)
        .value("POSITION_LONG", LimitKind::PositionLong)
        .value("POSITION_SHORT", LimitKind::PositionShort)
        .value("OPEN_ORDERS", LimitKind::OpenOrders)
        .value("GROSS_NOTIONAL", LimitKind::GrossNotional)
        .value("NET_NOTIONAL", LimitKind::NetNotional)
        .value("MARGIN", LimitKind::Margin)
        .value("MARGIN_BPS", LimitKind::MarginBps)
        .value("ORDER_RATE", LimitKind::OrderRate)
        .value("MESSAGE_RATE", LimitKind::MessageRate)
        .value("DUPLICATES", LimitKind::Duplicates)
        .value("REPEATS", LimitKind::Repeats)
        .value("ORDERS_PER_TRADE", LimitKind::OrdersPerTrade)
        .value("DAILY_LOSS", LimitKind::DailyLoss)
        .value("DRAWDOWN", LimitKind::Drawdown)
        .value("BOOK_AGE", LimitKind::BookAge)
        .value("PERMISSION", LimitKind::Permission);
    nb::enum_<BreakerKind>(m, "BreakerKind", nb::is_arithmetic())
        .value("NONE", BreakerKind::None)
        .value("LOSS", BreakerKind::Loss)
        .value("DRAWDOWN", BreakerKind::Drawdown)
        .value("REJECT_RATE", BreakerKind::RejectRate)
        .value("FILL_RATE", BreakerKind::FillRate)
        .value("SLIPPAGE", BreakerKind::Slippage)
        .value("TOO_GOOD", BreakerKind::TooGood)
        .value("LATENCY", BreakerKind::Latency)
        .value("FEED_STALE", BreakerKind::FeedStale)
        .value("MESSAGE_RATE", BreakerKind::MessageRate)
        .value("POSITION_JUMP", BreakerKind::PositionJump)
        .value("RECONCILIATION", BreakerKind::Reconciliation)
        .value("UNFILLED_RATE", BreakerKind::UnfilledRate);
    nb::enum_<KillLevel>(m, "KillLevel", nb::is_arithmetic())
        .value("NONE", KillLevel::None)
        .value("SOFT", KillLevel::Soft)
        .value("HARD", KillLevel::Hard)
        .value("CORD", KillLevel::Cord);
    nb::enum_<BreakNews>(m, "BreakNews", nb::is_arithmetic())
        .value("OPENED", BreakNews::Opened)
        .value("CLOSED", BreakNews::Closed)
        .value("CHANGED", BreakNews::Changed)
        .value("ASSIGNED", BreakNews::Assigned);
    nb::enum_<TradingState>(m, "TradingState", nb::is_arithmetic())
        .value("UNKNOWN", TradingState::Unknown)
        .value("HALTED", TradingState::Halted)
        .value("PAUSED", TradingState::Paused)
        .value("QUOTE_ONLY", TradingState::QuoteOnly)
        .value("TRADING", TradingState::Trading)
        .value("CLOSED", TradingState::Closed);
    nb::enum_<IntentKind>(m, "IntentKind", nb::is_arithmetic())
        .value("QUOTE", IntentKind::Quote)
        .value("ORDER", IntentKind::Order)
        .value("CANCEL", IntentKind::Cancel)
        .value("CANCEL_ALL", IntentKind::CancelAll)
        .value("TARGET", IntentKind::Target)
        .value("PARENT", IntentKind::Parent)
        .value("REPLACE", IntentKind::Replace);
    nb::enum_<Trigger>(m, "Trigger", nb::is_arithmetic())
        .value("NONE", Trigger::None)
        .value("LAST_TRADE", Trigger::LastTrade)
        .value("TOUCH", Trigger::Touch);
    nb::enum_<Check>(m, "Check", nb::is_arithmetic())
        .value("NONE", Check::None)
        .value("UNKNOWN_ORDER", Check::UnknownOrder)
        .value("DUPLICATE_ORDER", Check::DuplicateOrder)
        .value("NEGATIVE_QTY", Check::NegativeQty)
        .value("OVER_EXECUTED", Check::OverExecuted)
        .value("BOOK_FULL", Check::BookFull)
        .value("OTHER_KIND", Check::OtherKind)
        .value("CROSSED", Check::Crossed)
        .value("LOCKED", Check::Locked)
        .value("PX_BAND", Check::PxBand)
        .value("PX_TICK", Check::PxTick)
        .value("QTY_BAND", Check::QtyBand)
        .value("QTY_LOT", Check::QtyLot)
        .value("CLOCK_BACK", Check::ClockBack)
        .value("MALFORMED", Check::Malformed);
    nb::enum_<CheckPolicy>(m, "CheckPolicy", nb::is_arithmetic())
        .value("MARK", CheckPolicy::Mark)
        .value("DROP", CheckPolicy::Drop)
        .value("HALT", CheckPolicy::Halt);
    nb::enum_<Reason>(m, "Reason", nb::is_arithmetic())
        .value("NONE", Reason::None)
        .value("NOT_ARMED", Reason::NotArmed)
        .value("KILLED", Reason::Killed)
        .value("NO_LIMITS", Reason::NoLimits)
        .value("NO_INSTRUMENT", Reason::NoInstrument)
        .value("NOT_TRADING", Reason::NotTrading)
        .value("BOOK_NOT_VALID", Reason::BookNotValid)
        .value("NO_REFERENCE", Reason::NoReference)
        .value("PRICE_COLLAR", Reason::PriceCollar)
        .value("PRICE_TICK", Reason::PriceTick)
        .value("PRICE_NOT_POSITIVE", Reason::PriceNotPositive)
        .value("QTY_LOT", Reason::QtyLot)
        .value("QTY_NOT_POSITIVE", Reason::QtyNotPositive)
        .value("ORDER_QTY", Reason::OrderQty)
        .value("ORDER_NOTIONAL", Reason::OrderNotional)
        .value("POSITION", Reason::Position)
        .value("REDUCE_ONLY", Reason::ReduceOnly)
        .value("ORDERS_FULL", Reason::OrdersFull)
        .value("OPEN_ORDERS", Reason::OpenOrders)
        .value("UNKNOWN_ORDER", Reason::UnknownOrder)
        .value("NOT_REPLACEABLE", Reason::NotReplaceable)
        .value("STRATEGY_IS_HALTED", Reason::StrategyIsHalted)
        .value("SESSION_DOWN", Reason::SessionDown)
        .value("WOULD_OVERFLOW", Reason::WouldOverflow)
        .value("UNKNOWN_STRATEGY", Reason::UnknownStrategy)
        .value("NO_CONVERSION", Reason::NoConversion)
        .value("PRICE_DRIFT", Reason::PriceDrift)
        .value("GROSS_NOTIONAL", Reason::GrossNotional)
        .value("NET_NOTIONAL", Reason::NetNotional)
        .value("MARGIN", Reason::Margin)
        .value("ORDER_RATE", Reason::OrderRate)
        .value("MESSAGE_RATE", Reason::MessageRate)
        .value("DUPLICATE_ORDER", Reason::DuplicateOrder)
        .value("REPEATS", Reason::Repeats)
        .value("ORDERS_PER_TRADE", Reason::OrdersPerTrade)
        .value("SELF_CROSS", Reason::SelfCross)
        .value("NOT_PERMITTED", Reason::NotPermitted)
        .value("DAILY_LOSS", Reason::DailyLoss)
        .value("DRAWDOWN", Reason::Drawdown)
        .value("BOOK_STALE", Reason::BookStale)
        .value("LIMITED_SIZE", Reason::LimitedSize)
        .value("NOT_OWN_ORDER", Reason::NotOwnOrder)
        .value("TERMS", Reason::Terms)
        .value("BASKET_REFUSED", Reason::BasketRefused)
        .value("NO_ALGORITHM", Reason::NoAlgorithm)
        .value("STOPS_FULL", Reason::StopsFull)
        .value("LATE", Reason::Late)
        .value("DECISION_FULL", Reason::DecisionFull)
        .value("NO_SESSION", Reason::NoSession)
        .value("VENUE_REJECT", Reason::VenueReject)
        .value("USER_CANCEL", Reason::UserCancel)
        .value("SESSION_CANCEL", Reason::SessionCancel)
        .value("IOC_REMAINDER", Reason::IocRemainder)
        .value("SELF_MATCH", Reason::SelfMatch)
        .value("NEVER_REACHED_VENUE", Reason::NeverReachedVenue)
        .value("GATE_CLOSED", Reason::GateClosed)
        .value("GATE_ORDER_QTY", Reason::GateOrderQty)
        .value("GATE_NOTIONAL", Reason::GateNotional)
        .value("GATE_RATE", Reason::GateRate)
        .value("GATE_EPOCH", Reason::GateEpoch)
        .value("SOCKET_FULL", Reason::SocketFull)
        .value("GATE_NOT_APPROVED", Reason::GateNotApproved)
        .value("NOT_DURABLE", Reason::NotDurable)
        .value("GATE_AGE", Reason::GateAge)
        .value("GATE_OVER_SEND", Reason::GateOverSend)
        .value("GATE_MESSAGE_RATE", Reason::GateMessageRate)
        .value("NOT_EXPRESSIBLE", Reason::NotExpressible)
        .value("TIF_NOT_CARRIED", Reason::TifNotCarried)
        .value("POST_ONLY_NOT_CARRIED", Reason::PostOnlyNotCarried)
        .value("DISPLAY_NOT_CARRIED", Reason::DisplayNotCarried);
}

}  // namespace

void bind_records(nb::module_& m) {
    bind_enums(m);
    m.attr("AFTER_KILL") = kAfterKill;
    m.attr("SETTLES") = kSettles;
    m.attr("LIMIT_REMOVED") = kRemoved;
    m.attr("POST_ONLY") = kPostOnly;
    m.attr("HIDDEN") = kHidden;
    m.attr("MAY_BUY") = kMayBuy;
    m.attr("MAY_SELL") = kMaySell;
    m.attr("MAY_SHORT") = kMayShort;
    m.attr("MAY_OPEN") = kMayOpen;
    m.def("record_layouts", &record_layouts, "name -> (size in bytes, [(field, NumPy dtype, offset)])");
}

}  // namespace openbell
