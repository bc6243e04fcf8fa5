#pragma once

#include <persona/core/tensor.hpp>
#include <persona/core/weight.hpp>

#include <string>

namespace persona {

/// The module with every weight on `device` in `dtype`, its adapters left as they are.
template <class Module>
void to(Module& module, at::Device device, at::ScalarType dtype) {
  for_each_weight(module, [&](const std::string&, Weight& weight) { weight.base = weight.base.to(device, dtype); });
}

/// Lays the convolutions' weights out in channels_last, which makes what they compute channels_last too; values stay.
template <class Module>
void to_channels_last(Module& module) {
  for_each_weight(module, [](const std::string&, Weight& weight) {
    if (weight.base.dim() == 4) weight.base = weight.base.contiguous(at::MemoryFormat::ChannelsLast);
  });
}

}  // namespace persona
