// The inner loops of convolutions, compiled for several kinds of vectors.
//
// A convolution is a sum over terms: each item of the kernels of each channel. Images were copied
// into planes before (convolution.h), in which the items that one term meets in neighbouring windows
// lie side by side, wherever these begin: so a vector of windows is read from where it lies.
#pragma once

#include <cstdint>

#include "turning.h"

namespace theano {
namespace windows {

// Windows that lie side by side in memory: `count` of them.
struct Piece {
    std::int64_t lane;   // the first one's place in a tile
    std::int64_t plane;  // in a plane: the first item of the first window
    std::int64_t out;    // in the result
    std::int64_t count;
};

// Sums of a tile: some rows (channels of the result) of some vectors of windows.
struct Sums {
    const void *planes;      // of the first channel: the first item of the first window
    std::int64_t channels, apart;  // items between planes of channels
    const std::int64_t *items;     // where the items of a kernel are in the first window
    std::int64_t n_items;
    const void *factors;     // of all rows, for each item of each channel
    void *out;
    std::int64_t across;     // items between rows of `out`
    bool added;              // whether to add to what is there
};

// Rows copied into a plane, with zeros before and behind their items.
struct Filling {
    const void *from;
    std::int64_t rows, apart;           // items between rows
    std::int64_t before, count, step;   // zeros, items, and how far these are from each other
    void *to;
    std::int64_t length;                // of a row in the plane
    // Of planes whose items are vectors of groups: how many there are, and items from one to the next.
    std::int64_t groups = 1, groups_apart = 0;
};

// Sums of a row of windows, whose lanes are groups.
struct GroupSums {
    const void *planes;         // the first item of the first window
    const std::int64_t *terms;  // where each term is in that window
    std::int64_t n_terms;
    const void *factors;        // of a vector for each term
    std::int64_t windows;
    void *out;
    std::int64_t step;          // items between windows of `out`
};

// Windows copied side by side: a row for each term.
struct Packing {
    const void *planes;
    std::int64_t channels, apart;
    const std::int64_t *items;
    std::int64_t n_items;
    const Piece *pieces;
    std::int64_t n_pieces;
    void *packed;            // with room for a vector more
    std::int64_t width;      // items of a row
};

// Rows of sums copied to where they belong.
struct Unpacking {
    const void *sums;
    std::int64_t rows, width;
    const Piece *pieces;
    std::int64_t n_pieces;
    void *out;
    const std::int64_t *places;  // where each row is in it
    std::int64_t step;           // items between windows
    bool added;                  // to what is there
};

// Tiles of 4 × 4 items, of which 2 × 2 windows are made: see convolution_tiles.cpp. Of their items
// (i, j), those where both are even or odd alike lie in a plane of their own.
struct Entering {
    const void *planes;        // four
    std::int64_t plane, pitch; // items of a plane, and of a row in it
    std::int64_t rows, count;  // rows of tiles, and tiles of each
    void *to;                  // side by side, for each item of a tile
    std::int64_t apart;        // items between those
};

struct Leaving {
    const void *sums;           // as Entering's `to`
    std::int64_t apart;
    std::int64_t rows, count;
    void *out;
    std::int64_t pitch;         // items between rows of windows
    std::int64_t height, width; // rows of windows that there are, and windows of each
    void *rows_of_sums;         // room for four rows of tiles, in whole vectors
};

// What is given for a row of such tiles, by windows, a row above another: it is transformed alike.
struct EnteringGiven {
    const void *windows;
    std::int64_t pitch;   // items between the rows
    std::int64_t tiles, width;  // width: channels that lie side by side, in whole vectors
    void *to;
    std::int64_t apart;   // as Entering's
};

// Of sums over tiles, for each item of these, the 3 × 3 items of kernels.
struct LeavingKernels {
    const void *sums;
    std::int64_t apart;   // as Entering's
    std::int64_t terms, width;  // rows of so many channels
    void *to;                   // nine rows for each
};

// A row of windows: where it begins in planes, and in what is given for each window.
struct Row {
    std::int64_t plane, given;
};

// Sums over windows: for some terms, whose first items are at `terms` in the planes of the first
// window, products of planes and what is given.
struct Gradients {
    const void *planes, *given;
    const std::int64_t *terms;
    // `across`: where each window is in planes.
    const std::int64_t *windows;
    std::int64_t n_windows;
    // `along` and `groups`: rows of so many windows.
    const Row *rows;
    std::int64_t n_rows, length;
    void *out;
    bool added;
    std::int64_t step;  // `groups`: items between what is given for windows
};

constexpr int kMostRows = 8, kMostVectors = 8, kMostTerms = 8, kMostAcross = 3;

using Add = void(const Sums &);
using Differentiate = void(const Gradients &);

// What there is for one kind of vectors and one type.
struct Loops {
    std::int64_t lanes;
    int rows;                       // of a tile, at most
    Add *add[kMostRows][kMostVectors];
    void (*fill)(const Filling &);
    void (*fill_groups)(const Filling &);
    void (*add_groups)(const GroupSums &);
    void (*pack)(const Packing &);
    void (*unpack)(const Unpacking &);
    void (*turn)(const Turning &);
    bool (*within)(const void *items, std::int64_t count, double most);
    void (*enter)(const Entering &);
    void (*leave)(const Leaving &);
    void (*enter_given)(const EnteringGiven &);
    void (*leave_kernels)(const LeavingKernels &);
    // For so many vectors of channels, and so many terms: lanes are channels.
    Differentiate *across[kMostAcross][kMostTerms];
    // For so many terms, of one channel: lanes are windows of a row.
    Differentiate *along[kMostTerms];
    // The same of many groups: lanes are these.
    Differentiate *groups[kMostTerms];

    // Vectors of a tile of so many rows: their sums stay in registers.
    int vectors(int tile_rows) const {
        int most = 0;
        while (most < kMostVectors && add[tile_rows - 1][most]) ++most;
        return most;
    }
};

// Those for items of 4 or 8 bytes and vectors of at most so many bits; 0: the widest.
const Loops &loops(std::int64_t itemsize, std::int64_t bits);

const Loops &loops_plain(std::int64_t itemsize);
#if defined(__x86_64__)
const Loops &loops_fma(std::int64_t itemsize), &loops_avx512(std::int64_t itemsize);
#endif

}  // namespace windows
}  // namespace theano
