"""The layout of one step's work as numbers: what the engine fills in and the kernel reads.

A kernel takes a single address, so that calling it costs the same for one tensor as for a thousand
(0.2 us against 0.1 us for every array argument, measured with Numba 0.68). Behind the address lie
64-bit words; those marked float hold the bits of a float64.
"""

# Words of the job.
SLICES = 0  # how many slices
TABLE = 1  # address of the slice table
TENSORS = 2  # how many tensors
STEPS = 3  # address of int64[tensors + 1]: steps done so far; the last is the optimizer's
ACTIVE = 4  # address of int64[tensors + 1]: 1 where this run counts a step
GROUPS = 5  # address of int64[tensors]: which row of the hyper-parameters
HYPERS = 6  # address of float64[groups, hypers]
SCALARS = 7  # address of float64[tensors, scalars]: per-tensor state
NEXT = 8  # address of float64[tensors, scalars]: its new values, taken over at the end
CONSTANTS = 9  # address of int64[tensors]: where each tensor's constants are written
ROW = 10  # bytes of one slice in the table
SHARE = 11  # slices that a thread claims at a time
SCALE = 12  # float: gradients are multiplied by this
CLIP = 13  # float: largest allowed norm of the scaled gradients, or inf
NORM = 14  # float: that norm before clipping, written by the survey
SEED = 15  # address of int64[1]: the seed of rounding at random, 32 bits of it
KEYS = 16  # address of int64[tensors]: what tells one tensor's random numbers from another's
SCATTERED = 17  # 1 where slices lie anywhere in memory, 0 where the next follows the last
FIRST = 18  # 1 where constants are made for rows on their first step
LOOK = 19  # what the sweep does about numbers that are not finite: GUARD, LATE and DRY together
SHARED = 20  # address of int64[1]: what the batches of one step count together
BATCHES = 21  # how many batches the step has
MOVING = 22  # address of int64[tensors]: whether anything of a tensor moved, where some did not
LEVEL = 23  # which of the passes before the sweep
# Counters that threads write: each has a cache line to itself.
SURVEYED = 24  # slices claimed by the survey
SWEPT = 32  # slices claimed by the sweep
FINISHED = 40  # slices finished by the sweep
LEFT_OUT = 41  # elements that the sweep left out
# Of rules that reduce, or ask for a tensor's rows or columns.
PLACES = 48  # address of int64[tensors, words]: where each tensor's sums and numbers lie
PLACE = 49  # bytes of one row of it
TOTALS = 50  # address of float64[tensors, 2 * sums over all]: each tensor's sum, and of how many
EVERY = 51  # address of float64[2 * sums over all]: the same of all tensors together
WORDS = 56

# Blocks with a gradient that is not finite, or of which that would be made, are left as they are.
GUARD = 1
# Tensors are, whose sums make what is not finite: for those who have read the gradients first.
LATE = 2
# Nothing is changed: what would have been left out is counted as that.
DRY = 4
# No element behind a slice's end is asked for. A literal 0 would be a type of its own, and the
# sweep compiled once for it and once for all other numbers.
NONE_BEYOND = 0

# Parts of the word that all batches of a step share: how many have ended, of how many something
# moved, and of how many something was left out.
MOVED = 1 << 20
STOPPED = 1 << 40

# Words of one slice in the table.
COUNT = 0  # elements
TENSOR = 1  # which tensor
SQUARES = 2  # float: sum of squares of its gradient, by the survey, or the sweep of a tally
FORM = 3  # format of the gradient: its place in FORMS
CONSTANT = 4  # address of its first row of constants
REPEAT = 5  # how many rows of constants to apply, one step each
SPAN = 6  # elements in a row that blocks do not cross
BLOCK = 7  # the tensor's number of the first block
LEFT = 8  # elements that the sweep left out
START = 9  # the tensor's number of the first element, of those that lie here
WHOLE = 10  # 1 where the slice is the whole tensor, whose passes follow each other at once
GRADIENT = 11  # address; 0 where no gradient came
PARAMETER = 12  # address; those of the other columns follow

# Words of one tensor's place; those of its sums follow, then those of its states.
ROWS_HERE = 0  # rows that lie in this process
ROWS = 1  # all of them
COLUMNS = 2
FIRST_ROW = 3  # the tensor's number of the first row here
EACH = 4  # 1 where sums are kept element by element, because others hold parts of a block
ROW_BY_ROW = 5  # 1 where sums of columns are kept row by row, because others hold parts of a group
FIRST_ELEMENT = 6  # the tensor's number of the first element here
BLOCKS = 7  # blocks of the whole tensor
LOST = 8  # address of float64[2]: above 0 where it stays as it was; where that must be tried
ROW_ROOM = 9  # address of float64[numbers, rows here]: what each row has one of
COLUMN_ROOM = 10  # address of the arithmetic's numbers[numbers, columns]
ALONE = 11  # 1 where one slice is the whole tensor
SPLIT = 12  # how many matrices of as many rows it is, of rules that make matrices
SUMS = 13  # addresses of float64[...]: the parts of each sum

# Of each column a few rows are added up in the dtype of the arithmetic, then those of a group.
FEW = 4
GROUP = 64

# Phases of a run, added together.
SURVEY = 1  # sum of squares of every gradient
SETTLE = 2  # the norm, the clipping, the finite check
PROLOGUE = 4  # constants of every tensor
SWEEP = 8  # the update itself
REDUCE = 16  # the parts of the sums of one level
COLLECT = 32  # the sums over all tensors, this one's part
BETWEEN = 64  # what is computed of the sums of one level

# What a run returns.
DONE = 0
NOT_FINITE = 1  # some gradients are not, or may not be; nothing was changed
SOME_LEFT = 2  # the sweep left blocks as they were

SLICE_ELEMENTS = 1 << 18
TILE = 128  # elements of a block; that of `codecs`, which kernels do not import
# Up to this no element of a gradient overflows in float32: a power of two below its largest number.
SURE = 2.0**127
# Up to this no rule makes what is not finite of a gradient: its third power is still a number. So
# too where the sum of squares of a tensor is not below the other.
CALM = {"float32": 2.0**40, "float64": 2.0**340}
FAINT = 2.0**-220
FLOAT32, FLOAT64, FLOAT16, BFLOAT16 = range(4)
FORMS = ("float32", "float64", "float16", "bfloat16")
