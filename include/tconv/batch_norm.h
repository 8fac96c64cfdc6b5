// Folds the batch normalisation that follows a layer into its kernel and bias, for the compiler and for inference.
#ifndef TCONV_BATCH_NORM_H
#define TCONV_BATCH_NORM_H

#include "tconv/layer_config.h"

namespace tconv {

// Scales `kernel`, in the dialect's order, and `bias` so that the layer computes what layer and normalisation computed:
//     gamma * (layer(x) - mean) / sqrt(variance + epsilon) + beta.
// `batch_norm` has the shape (4, filters): gamma, beta, moving mean, moving variance. `bias` has the shape (filters,),
// or (0,) or () without elements where the layer has none; it has one afterwards, so the config needs use_bias = true
// then. The config's activation is taken to follow the normalisation. Computed in double. On an error nothing is
// changed.
Status fold_batch_norm(const LayerConfig &config, Tensor &kernel, Tensor &bias, const Tensor &batch_norm,
                       double epsilon);

}  // namespace tconv

#endif
