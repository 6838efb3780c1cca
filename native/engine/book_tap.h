// Whoever keeps something beside the engine's books and must hear what each record did to them: the virtual venue of a
// backtest, of its queues.
#pragma once

#include "book/books.h"

namespace openbell {

class BookTap {
  public:
    virtual ~BookTap() = default;
    virtual void on_book(const Market& record, const BookChange& change) = 0;
};

}  // namespace openbell
