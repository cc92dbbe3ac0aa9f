"""Ask the reference interpreters about many models, whose refusals and crashes end none of us.

A process forked for the purpose runs one model after another; where it dies, the model is noted and
another process goes on with the next.
"""

import faulthandler
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np

from tinygen.interpreters import run_reference
from tinygen.ir import Array, Numerics

PATIENCE_S = 60.0
_FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Question:
    """A model, and what goes in: for each input the vectors, stacked."""

    model: bytes
    inputs: tuple[Array, ...]
    reference: Numerics


@dataclass(frozen=True)
class Answer:
    """What comes out, for each output the vectors stacked; or why nothing does."""

    outputs: tuple[Array, ...] = ()
    refusal: str = ""
    crash: str = ""

    @property
    def is_given(self) -> bool:
        """Whether there is something to compare with."""
        return not self.refusal and not self.crash


def stacked(vectors: Sequence[Sequence[Array]]) -> tuple[Array, ...]:
    """The vectors of each input as one array."""
    return tuple(np.stack(column) for column in zip(*vectors, strict=True))


def ask_all(questions: Sequence[Question]) -> tuple[Answer, ...]:
    """The answers in order."""
    answers: list[Answer] = []
    while len(answers) < len(questions):
        answers += _ask_some(questions[len(answers) :])
    return tuple(answers)


def _ask_some(questions: Sequence[Question]) -> Iterator[Answer]:
    """Answers up to the first crash, which is the last of them."""
    receiver, sender = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_answer_all, args=(questions, sender))
    process.start()
    sender.close()
    try:
        for _ in questions:
            if not receiver.poll(PATIENCE_S):
                process.kill()
                yield Answer(crash=f"no end within {PATIENCE_S:g} s")
                return
            yield receiver.recv()
    except EOFError:
        process.join()
        yield Answer(crash=f"the process died with exit code {process.exitcode}")
    finally:
        process.join()
        receiver.close()


def _answer_all(questions: Sequence[Question], sender: Connection) -> None:
    faulthandler.disable()  # a crash is an answer
    quiet = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(quiet, stream)  # the interpreters tell their reasons to stderr as well
    for question in questions:
        try:
            answer = Answer(run_reference(question.model, question.inputs, question.reference))
        except Exception as error:
            lines = str(error).strip().splitlines() or [type(error).__name__]
            answer = Answer(refusal=lines[0][:200])
        sender.send(answer)
    sender.close()
