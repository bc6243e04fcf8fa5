#pragma once

#include <persona/core/tensor.hpp>

#include <concepts>

namespace persona {

namespace detail {
template <class E>
concept HasEmbeddingTable = requires(const E& encoder) {
  { encoder.embedding_table() } -> std::convertible_to<Tensor>;
};
template <class E>
concept HasEncodeEmbeddings = requires(const E& encoder, const Tensor& embeddings) {
  { encoder.encode(embeddings) } -> std::convertible_to<Tensor>;
};
template <class E>
concept HasHidden = requires(const E& encoder, const Tensor& embeddings) {
  { encoder.hidden(embeddings) } -> std::convertible_to<Tensor>;
};
template <class E>
concept HasFinalNorm = requires(const E& encoder, const Tensor& hidden) {
  { encoder.final_norm(hidden) } -> std::convertible_to<Tensor>;
};
}  // namespace detail

/// embedding_table() -> [V, D]; encode(embeddings [N, L, D]) -> states [N, L, C]. Means: encode adds positions itself
/// and is differentiable in its argument; learned rows are spliced into the embeddings, the table is only read.
template <class E>
concept TextEncoder = detail::HasEmbeddingTable<E> && detail::HasEncodeEmbeddings<E>;

/// The two halves of encode apart: encode(e) == final_norm(hidden(e)). A bypass (NeTI) acts between them.
template <class E>
concept SplitTextEncoder = TextEncoder<E> && detail::HasHidden<E> && detail::HasFinalNorm<E>;

}  // namespace persona
