#pragma once
// Every concept, in the order in which data flows, and nothing else.

#include <persona/core/role.hpp>

#include <persona/text/tokenizer.hpp>

#include <persona/model/autoencoder.hpp>
#include <persona/model/denoiser.hpp>
#include <persona/model/diffusion_model.hpp>
#include <persona/model/text_encoder.hpp>
#include <persona/model/weight_host.hpp>

#include <persona/data/augmentation.hpp>
#include <persona/data/contribution.hpp>

#include <persona/init/initializer.hpp>

#include <persona/param/row_parameterization.hpp>
#include <persona/param/weight_parameterization.hpp>

#include <persona/schedule/scheduler.hpp>

#include <persona/loss/regularizer.hpp>

#include <persona/optim/learning_rate.hpp>
#include <persona/optim/optimizer.hpp>
