#include <portrait.hpp>

int main() { return portrait::six() == 6.0 ? 0 : 1; }
