"""Cases from PyTorch. The layer's config holds the keyword arguments that made the module: an integer for a list here,
a default left out there. PyTorch's data is channels first; about every third case is moved to channels last."""

import torch

from golden_file import by_extent, channels_last, draw_channels, draw_list, is_small, normal, normal_kernel
from golden_file import MAX_KERNEL, MAX_SPATIAL, MAX_STRIDE

# Corners that chance might miss: the input's shape and the module's arguments.
CORNERS = [
    ((1, 1, 1), dict(in_channels=1, out_channels=1, kernel_size=1)),
    ((1, 2, 4), dict(in_channels=2, out_channels=3, kernel_size=[1], stride=[3], padding=[1])),
    ((1, 2, 5), dict(in_channels=2, out_channels=3, kernel_size=2, dilation=3, output_padding=2)),
    ((2, 3, 4), dict(in_channels=3, out_channels=2, kernel_size=2, stride=5, output_padding=4, bias=False)),
    ((1, 17, 11), dict(in_channels=17, out_channels=16, kernel_size=3, padding=1)),
    ((1, 4, 4, 4), dict(in_channels=4, out_channels=8, kernel_size=4, stride=2, padding=1)),
    ((1, 8, 3, 5), dict(in_channels=8, out_channels=8, kernel_size=2, stride=2, bias=False)),
    ((1, 16, 2, 3), dict(in_channels=16, out_channels=16, kernel_size=4, stride=2, padding=1, groups=16)),
    ((1, 6, 2, 3), dict(in_channels=6, out_channels=9, kernel_size=[3, 2], stride=[2, 3], groups=3, output_padding=1)),
    ((1, 2, 3, 3), dict(in_channels=2, out_channels=3, kernel_size=3, stride=2, dilation=[2, 3], padding=[2, 4])),
    ((1, 2, 2, 2, 2), dict(in_channels=2, out_channels=2, kernel_size=4, stride=2, padding=1)),
    ((1, 4, 1, 2, 3), dict(in_channels=4, out_channels=2, kernel_size=[1, 3, 2], stride=[3, 1, 2], groups=2)),
]
RANDOM_CASES = 40

DEFAULTS = dict(stride=1, padding=0, output_padding=0, groups=1, bias=True, dilation=1)


def cases(rng):
    for index in range(len(CORNERS) + RANDOM_CASES):
        input_shape, config = CORNERS[index] if index < len(CORNERS) else draw(rng, 1 + index % 3)
        yield make_case(rng, index, input_shape, config)


def draw(rng, rank):
    while True:
        groups = int(rng.choice([1, 1, 2, 3, 4]))
        channels = groups * (draw_channels(rng) if groups == 1 else int(rng.integers(1, 4)))
        filters = groups * (draw_channels(rng) if groups == 1 else int(rng.integers(1, 4)))
        input_shape = (int(rng.integers(1, 4)), channels, *draw_list(rng, 1, MAX_SPATIAL[rank], rank))
        kernel = draw_list(rng, 1, MAX_KERNEL[rank], rank)
        stride = draw_list(rng, 1, MAX_STRIDE[rank], rank)
        dilation = draw_list(rng, 1, 3, rank) if rng.random() < 0.4 else [1] * rank
        padding = draw_list(rng, 0, 3, rank)
        extra = [int(rng.integers(0, max(s, d))) for s, d in zip(stride, dilation)]
        if rng.random() < 0.4:
            extra = [0] * rank
        spatial = [(i - 1) * s - 2 * p + (k - 1) * d + 1 + o for i, k, s, d, p, o in
                   zip(input_shape[2:], kernel, stride, dilation, padding, extra)]
        if min(spatial) > 0 and is_small(
                input_shape, (channels, filters // groups, *kernel), (input_shape[0], filters, *spatial)):
            config = dict(stride=stride, padding=padding, output_padding=extra, groups=groups,
                          bias=bool(rng.random() < 0.75), dilation=dilation)
            spelled = {key: spell(rng, value) for key, value in config.items()}
            spelled = {key: value for key, value in spelled.items() if value != DEFAULTS[key] or rng.random() < 0.3}
            return input_shape, dict(in_channels=channels, out_channels=filters, kernel_size=kernel) | spelled


def spell(rng, value):
    """Half of the lists that repeat one integer become that integer."""
    uniform = isinstance(value, list) and len(set(value)) == 1
    return value[0] if uniform and rng.random() < 0.5 else value


def make_case(rng, index, input_shape, config):
    rank = len(input_shape) - 2
    class_name = f"ConvTranspose{rank}d"
    module = getattr(torch.nn, class_name)(**config)
    kernel = normal_kernel(rng, module.weight.shape, config["in_channels"] // module.groups, module.kernel_size,
                           module.stride)
    bias = None if module.bias is None else normal(rng, module.bias.shape, 0.5)
    input = normal(rng, input_shape)
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(kernel))
        if bias is not None:
            module.bias.copy_(torch.from_numpy(bias))
        output = module(torch.from_numpy(input)).numpy()
    layer = {"dialect": "torch"}
    if index // 3 % 3 == 1:  # whatever the rank
        layer["data_format"] = "channels_last"
        input, output = channels_last(input), channels_last(output)
    layer |= {"class_name": class_name, "config": config, "build_config": {"input_shape": list(input.shape)}}
    return dict(name=name_of(index, layer, module), layer=layer, input=input, kernel=kernel, bias=bias, output=output)


def name_of(index, layer, module):
    return (f"{index:02}_{len(module.kernel_size)}d_{layer.get('data_format', 'channels_first')}"
            f"_k{by_extent(module.kernel_size)}_s{by_extent(module.stride)}_d{by_extent(module.dilation)}"
            f"_p{by_extent(module.padding)}_op{by_extent(module.output_padding)}_g{module.groups}")
