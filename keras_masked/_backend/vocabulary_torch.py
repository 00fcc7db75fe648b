"""The pass over chunks of tokens on PyTorch.

It is one operation for PyTorch's compiler, which could not compile a loop whose turns depend on the
data. Where a GPU adds up products of half precision in float32, it is left to it; elsewhere they
are cast before.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

from keras_masked._backend.vocabulary import Head
from keras_masked._backend.vocabulary_logits import of_logits


@functools.cache
def _adds_wide(device: str, dtype: torch.dtype) -> bool:
    """Whether products of half precision can be added up in float32 as they are."""
    x = torch.ones((16, 16), device=device, dtype=dtype)
    total = torch.ones((16, 16), device=device)
    try:
        torch.addmm(total, x, x, out_dtype=torch.float32, out=total)
        same = torch.mm(x, x, out_dtype=torch.float32, out=torch.empty_like(total))
    except (RuntimeError, TypeError, NotImplementedError):
        return False
    return bool((total == 17).all() and (same == 16).all())


def _mm(x: Tensor, y: Tensor, out: Tensor) -> Tensor:
    if x.dtype == out.dtype:
        return torch.mm(x, y, out=out)
    return torch.mm(x, y, out_dtype=out.dtype, out=out)


def _add_mm(total: Tensor, x: Tensor, y: Tensor) -> None:
    if x.dtype == total.dtype:
        total.addmm_(x, y)
    else:
        torch.addmm(total, x, y, out_dtype=total.dtype, out=total)


@torch.library.custom_op("keras_masked::vocabulary_pass", mutates_args=())
def vocabulary_pass(
    hidden: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    shares: Tensor | None,
    ids: Tensor,
    observed: Tensor | None,
    chunk: int,
    label_smoothing: float,
    z_loss: float,
    soft_cap: float | None,
    ranked: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Losses, cross-entropies, hits, and the gradients, of no size where there are no shares."""
    rows = hidden.shape[0]
    wide = torch.float64 if hidden.dtype == torch.float64 else torch.float32
    half = hidden.dtype != wide
    narrow = hidden.dtype if half and _adds_wide(hidden.device.type, hidden.dtype) else wide
    waiting = torch.bfloat16 if hidden.dtype == torch.bfloat16 else wide
    # A kernel is rounded as the hidden states are, also where the products are in float32.
    operand = kernel.to(hidden.dtype).to(narrow)
    new = functools.partial(torch.zeros, device=hidden.device, dtype=wide)
    tokens = [new(rows) for _ in range(3)]
    slopes = None if shares is None else narrow
    of_hidden = new(0 if shares is None else hidden.shape, dtype=waiting)
    of_kernel = new(0 if shares is None else kernel.shape)
    of_bias = new(0 if shares is None or bias is None else bias.shape)

    where = None if observed is None else observed.nonzero()[:, 0]
    count = rows if where is None else len(where)
    memory = torch.empty((min(chunk, count), kernel.shape[1]), device=hidden.device, dtype=wide)
    for start in range(0, count, chunk):
        stop = min(start + chunk, count)
        here: Any = slice(start, stop) if where is None else where[start:stop]
        x, y = hidden[here].to(narrow), ids[here, None].long()
        logits = _mm(x, operand, memory[: stop - start])
        if bias is not None:
            logits += bias
        arguments = (logits, y, label_smoothing, z_loss, soft_cap, ranked, slopes)
        found = of_logits(*arguments)
        for to, each in zip(tokens, found, strict=False):
            to[here] = each
        if shares is None:
            continue
        slope, share = found[3], shares[here, None]
        if bias is not None:
            of_bias += _mm(share.t().to(narrow), slope, new((1, len(bias))))[0]
        of_hidden[here] = _mm(slope, operand.t(), new(x.shape)).mul_(share).to(waiting)
        _add_mm(of_kernel, (x.to(wide) * share).to(narrow).t(), slope)
    return *tokens, of_hidden, of_kernel, of_bias


@vocabulary_pass.register_fake
def _(
    hidden: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    shares: Tensor | None,
    ids: Tensor,
    observed: Tensor | None,
    *_: Any,
) -> tuple[Tensor, ...]:
    wide = torch.float64 if hidden.dtype == torch.float64 else torch.float32
    waiting = torch.bfloat16 if hidden.dtype == torch.bfloat16 else wide
    new = functools.partial(hidden.new_empty, dtype=wide)
    slopes = shares is not None
    return (
        *(new((hidden.shape[0],)) for _ in range(3)),
        new(hidden.shape if slopes else (0,), dtype=waiting),
        new(kernel.shape if slopes else (0,)),
        new(bias.shape if slopes and bias is not None else (0,)),
    )


def _needs_slopes(*tensors: Tensor | None) -> bool:
    return torch.is_grad_enabled() and any(x is not None and x.requires_grad for x in tensors)


def _pass(
    hidden: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    shares: Tensor | None,
    ids: Tensor,
    observed: Tensor | None,
    head: Head,
) -> tuple[Tensor, ...]:
    options = (head.chunk, head.label_smoothing, head.z_loss, head.soft_cap, head.ranked)
    found: tuple[Tensor, ...] = vocabulary_pass(
        hidden, kernel, bias, shares, ids, observed, *options
    )
    return found


def _back(slopes: tuple[Tensor, ...], factor: Tensor, like: tuple[Any, ...]) -> list[Any]:
    """Gradients in the dtypes of what they are of."""
    return [
        None if x is None else (slope * factor).to(x.dtype)
        for slope, x in zip(slopes, like, strict=True)
    ]


class _Sum(torch.autograd.Function):
    """The sum of the losses, each times its share, then everything that the pass returns."""

    @staticmethod
    def forward(*inputs: Any) -> tuple[Tensor, ...]:
        hidden, kernel, bias, shares, ids, observed, head, size = inputs
        given = None if size is None else shares / size
        found = _pass(hidden, kernel, bias, given, ids, observed, head)
        return (shares * found[0]).sum(), *found

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        hidden, kernel, bias, *_, size = inputs
        _, losses, surprise, right, *slopes = output
        ctx.mark_non_differentiable(losses, surprise, right, *slopes)
        ctx.set_materialize_grads(False)  # zeros as large as the kernel, for what has no gradient
        ctx.save_for_backward(losses, size, *slopes)
        ctx.like = [None if x is None else x.new_empty(0) for x in (hidden, kernel, bias)]

    @staticmethod
    def backward(ctx: Any, upstream: Tensor | None, *_: Any) -> tuple[Any, ...]:
        if upstream is None:
            return (None,) * 8
        losses, size, *slopes = ctx.saved_tensors
        found = [None] * 3 if size is None else _back(slopes, size * upstream, ctx.like)
        return (*found, losses * upstream, None, None, None, None)


class _Losses(torch.autograd.Function):
    """Everything that the pass returns; the gradient of the losses takes another one."""

    @staticmethod
    def forward(*inputs: Any) -> tuple[Tensor, ...]:
        hidden, kernel, bias, ids, observed, head = inputs
        return _pass(hidden, kernel, bias, None, ids, observed, head)[:3]

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        *tensors, ctx.head = inputs
        ctx.mark_non_differentiable(*output[1:])
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*tensors)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor | None, *_: Any) -> tuple[Any, ...]:
        if upstream is None:
            return (None,) * 6
        hidden, kernel, bias, ids, observed = ctx.saved_tensors
        size = greatest(upstream)
        slopes = _pass(hidden, kernel, bias, upstream / size, ids, observed, ctx.head)[3:]
        return (*_back(slopes, size, (hidden, kernel, bias)), None, None, None)


def greatest(shares: Tensor) -> Tensor:
    """The greatest share by size, by which all are divided; 1 where all are 0."""
    size = torch.nn.functional.pad(shares.abs(), (0, 1)).max()
    return torch.where(size == 0, torch.ones_like(size), size)


def sum_in_one_pass(
    hidden: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    shares: Tensor,
    ids: Tensor,
    observed: Tensor | None,
    head: Head,
) -> tuple[Tensor, ...]:
    """See `vocabulary.sum_in_one_pass`."""
    size = greatest(shares.detach()) if _needs_slopes(hidden, kernel, bias) else None
    found: tuple[Tensor, ...] = _Sum.apply(hidden, kernel, bias, shares, ids, observed, head, size)
    return found[:4]


def losses_in_two_passes(*inputs: Any) -> tuple[Tensor, ...]:
    """See `vocabulary.losses_in_two_passes`."""
    found: tuple[Tensor, ...] = _Losses.apply(*inputs)
    return found
