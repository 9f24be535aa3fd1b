"""Headers of safetensors files that lie, each in another way, before three bytes of tensors."""

LYING = [
    '{"a":{"dtype":"F32","shape":[1099511627776,1099511627776],"data_offsets":[0,0]}}',
    '{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}',
    '{"a":{"dtype":"F32","shape":[0,4611686018427387904],"data_offsets":[0,0]}}',
    '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],'
    '"data_offsets":[1,3]}}',
    '{"a":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}',
    '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}',
    '{"a":{"dtype":"U8","shape":[2],"data_offsets":[2,0]}}',
    '{"a":{"dtype":"U8","shape":[2],"data_offsets":[2]}}',
    '{"a":{"dtype":"U8","shape":[true],"data_offsets":[0,1]}}',
    '{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}',
    '{"a":{"dtype":"V1","shape":[1],"data_offsets":[0,1]}}',
    '{"a":{"dtype":"U8","shape":[3]}}',
    '{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"a":{"dtype":"U8","shape":[3],'
    '"data_offsets":[0,3]}}',
    '{"__metadata__":{"a":1}}', "[]", "{", "", "\xff", '{"a":NaN}', "[" * 100_000,
    '{"a":' + "[" * 100_000, '{"a":' + "9" * 5000 + "}", '{"\\ud800":1}',
]  # fmt: skip
