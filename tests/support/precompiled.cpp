// Gives the precompiled header of the tests a source to belong to; main.cpp cannot use it, since it configures Catch2.
#include "support/catch.hpp"
