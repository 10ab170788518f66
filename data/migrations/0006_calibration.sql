-- Draws that last: which half of the labels a sample belongs to and whether it is audited follow from its number for good.
-- The finaliser of MurmurHash3 (32 bit), of a number below 2**32; DuckDB's own hash may change with its version.
CREATE MACRO mixed_once(x, shift, factor) AS (xor(x, x >> shift) * factor) & 4294967295::UBIGINT;
CREATE MACRO mixed(x) AS xor(mixed_once(mixed_once((x::UBIGINT & 4294967295::UBIGINT), 16, 2246822507::UBIGINT), 13, 3266489909::UBIGINT),
                             mixed_once(mixed_once((x::UBIGINT & 4294967295::UBIGINT), 16, 2246822507::UBIGINT), 13, 3266489909::UBIGINT) >> 16);
