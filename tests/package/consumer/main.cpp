#include "everything.hpp"

#include <iostream>

persona::Tensor ones_of_other();

int main() {
  const auto rows = at::full({2, 3}, 2.0).set_requires_grad(true);
  (rows * ones_of_other()).sum().backward();
  std::cout << "persona " << persona::version_string << '\n';
  return rows.grad().sum().item<double>() == 6.0 ? 0 : 1;
}
