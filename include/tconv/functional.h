// TensorFlow's functional forms, tf.layers.conv2d_transpose and its one- and three-dimensional kin: a call with the
// constructor's arguments, whose variables live in a scope (tconv/graph.h) under the layer's name.
//
// Variables "<scope>/<name>/kernel" and "<scope>/<name>/bias" are made by the first call and found by a later one that
// reuses. Without a name it is "conv2d_transpose", "conv2d_transpose_1" and so on within the scope, and with `reuse`
// just "conv2d_transpose". What was found keeps its values, its regularizer and its constraint. The variables of layers
// that have the same graph are found too.
// The library's general kernels serve them. Names may have scopes in front, "block/up".
// Errors, invalid_argument: a name that is taken without reuse; one that is missing with it; a found variable of
// another shape; `input_shape` or a `graph` other than the scope's; and the layer's own (tconv/layer.h).
// The packed form of the weights is kept with the scope, so that a second call does not pack again.
#ifndef TCONV_FUNCTIONAL_H
#define TCONV_FUNCTIONAL_H

#include "tconv/conv_transpose_arguments.h"
#include "tconv/graph.h"
#include "tconv/status.h"
#include "tconv/tensor.h"

namespace tconv {

Result<Tensor> conv1d_transpose(const VariableScope &scope, const Tensor &inputs,
                                const ConvTransposeArguments<1> &arguments, Reuse reuse = Reuse::no);
Result<Tensor> conv2d_transpose(const VariableScope &scope, const Tensor &inputs,
                                const ConvTransposeArguments<2> &arguments, Reuse reuse = Reuse::no);
Result<Tensor> conv3d_transpose(const VariableScope &scope, const Tensor &inputs,
                                const ConvTransposeArguments<3> &arguments, Reuse reuse = Reuse::no);

}  // namespace tconv

#endif
