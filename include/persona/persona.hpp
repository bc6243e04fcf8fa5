#pragma once
// Everything but the codecs (images.hpp) and the Stable Diffusion models (stable_diffusion.hpp), in the order in which
// data flows.

#include <persona/version.hpp>

#include <persona/concepts.hpp>
#include <persona/core/error.hpp>

#include <persona/io/describe_file.hpp>

#include <persona/schedule/ddim.hpp>
#include <persona/schedule/ddpm.hpp>

#include <persona/text/captions.hpp>
#include <persona/text/read_lines.hpp>

#include <persona/data/cut_mix.hpp>
#include <persona/data/flip.hpp>
#include <persona/data/random_scale.hpp>
#include <persona/data/subject.hpp>

#include <persona/init/cross.hpp>
#include <persona/init/cross_near.hpp>
#include <persona/init/rows.hpp>
#include <persona/init/token.hpp>

#include <persona/param/cross_attention_kv.hpp>
#include <persona/param/dora.hpp>
#include <persona/param/free_rows.hpp>
#include <persona/param/full_weights.hpp>
#include <persona/param/low_rank.hpp>
#include <persona/param/spectral_shift.hpp>
#include <persona/param/subset.hpp>

#include <persona/loss/l2.hpp>
#include <persona/loss/min_snr.hpp>
#include <persona/loss/prior_preservation.hpp>
#include <persona/loss/sum_to_one.hpp>
#include <persona/loss/unmix.hpp>

#include <persona/optim/adamw.hpp>
#include <persona/optim/learning_rate.hpp>

#include <persona/recipe.hpp>

#include <persona/train/personalize.hpp>
#include <persona/train/personalize_each.hpp>
#include <persona/train/progress.hpp>

#include <persona/learned/bake.hpp>
#include <persona/learned/formats.hpp>
#include <persona/learned/import_embedding.hpp>
#include <persona/learned/learned.hpp>
#include <persona/learned/merge.hpp>
#include <persona/learned/mix.hpp>
#include <persona/learned/personalized.hpp>
#include <persona/learned/weight_files.hpp>

#include <persona/generate/edit.hpp>
#include <persona/generate/generate.hpp>
#include <persona/generate/invert.hpp>

#include <persona/method/batex.hpp>
#include <persona/method/celeb_basis.hpp>
#include <persona/method/cross_initialization.hpp>
#include <persona/method/custom_diffusion.hpp>
#include <persona/method/dreambooth.hpp>
#include <persona/method/lora.hpp>
#include <persona/method/neti.hpp>
#include <persona/method/svdiff.hpp>
#include <persona/method/textual_inversion.hpp>
#include <persona/method/xti.hpp>
