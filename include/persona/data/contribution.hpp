#pragma once

#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/batch.hpp>
#include <persona/data/bind_context.hpp>
#include <persona/data/bound.hpp>

#include <concepts>

namespace persona {

namespace detail {
template <class C>
concept HasContribute =
    requires(C& state, Batch& batch, at::Generator& generator) { state.contribute(batch, generator); };
template <class C>
concept HasReweigh = requires(C& state, Batch& batch, const Tensor& snr) { state.reweigh(batch, snr); };
}  // namespace detail

/// contribute(Batch&, generator): adds samples, changes them, sets per-sample weights and loss masks, before captions
/// become tokens and noise is drawn (prior preservation, cut-mix, masks); and/or reweigh(Batch&, snr [B]), after
/// (min-SNR). Means: every field with one entry a sample grows together; the first samples stay the subjects' own.
template <class C, class Model>
concept ContributionFor = Component<C> && Bindable<C, Model> &&
                          (detail::HasContribute<bound_t<C, Model>> || detail::HasReweigh<bound_t<C, Model>>);

}  // namespace persona
