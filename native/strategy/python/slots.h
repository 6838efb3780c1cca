// The declared fields of a Python object, read and written where its slots lie.
//
// A slot holds a reference to an int, float or bool, which never change: as long as the reference is the same, so is
// the value. So what a callback left alone costs one comparison of pointers.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "strategy/python/array.h"

namespace openbell {

class Slots {
  public:
    // `layout` as `openbell.strategy.fields.Layout`.
    Slots(nb::handle object, nb::handle layout);
    ~Slots();
    Slots(const Slots&) = delete;
    Slots& operator=(const Slots&) = delete;

    std::size_t words() const { return words_; }
    std::size_t state_words() const { return state_words_; }
    void gather(std::span<u64> words);         // raises what a field's value deserves; word 0 is not a field
    void scatter(std::span<const u64> words);  // every field

  private:
    struct Scalar {
        PyObject** at;
        PyObject* seen;  // owned; what the word was made of
        std::size_t word;
        char kind;
        std::string name;
    };
    struct Fixed {  // an array or a nested state: filled, never replaced
        PyObject** at;
        nb::object object;
        Array* array;  // null: a state
        std::size_t word;
        std::string name;
    };
    void add(nb::handle object, nb::handle layout, std::size_t base, const std::string& prefix);

    nb::object object_;
    std::vector<Scalar> scalars_;
    std::vector<Fixed> fixed_;
    std::size_t words_ = 0;
    std::size_t state_words_ = 0;
};

}  // namespace openbell
