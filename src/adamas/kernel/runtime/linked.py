"""How functions that only kernels call are compiled: to code that is linked into a kernel.

Numba makes machine code of every function by itself, and once more of each as a part of whoever
calls it. Of the first nobody has anything here.
"""

from typing import Any

from numba.core import codegen, compiler, typed_passes
from numba.core.compiler_machinery import register_pass


class Linked(codegen.JITCodeLibrary):  # type: ignore[misc]
    """Code of one function, optimised and made machine code of by those that link it."""

    def _optimize_final_module(self) -> None:
        """Leave it to them; functions were optimised one by one."""

    def _finalize_final_module(self) -> None:
        # What is looked at here is looked at again in those that link it.
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """Return that there is no machine code."""
        return 0

    @property
    def codegen(self) -> "Linked":
        """Who is told of environments: see `set_env`."""
        return self

    def set_env(self, name: str, env: Any) -> None:
        """Do nothing: without machine code there is no place for it."""


@register_pass(mutates_CFG=True, analysis_only=False)
class Lowering(typed_passes.NativeLowering):  # type: ignore[misc]
    """The last pass, into such code."""

    _name = "lowering_to_be_linked"

    def run_pass(self, state: Any) -> bool:
        """Lower one function."""
        state.library = Linked(state.targetctx.codegen(), state.func_id.func_qualname)
        return bool(super().run_pass(state))


class Compiler(compiler.CompilerBase):  # type: ignore[misc]
    """Numba's compiler with that pass for its last."""

    def define_pipelines(self) -> list[Any]:
        """Return the passes."""
        usual = compiler.DefaultPassBuilder.define_nopython_pipeline(self.state)
        made = compiler.PassManager("linked")
        for one, why in usual.passes:
            made.add_pass(Lowering if one is typed_passes.NativeLowering else one, why)
        made.finalize()
        return [made]
