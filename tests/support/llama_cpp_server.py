"""llama.cpp's own server on a tiny GGUF with random weights: `python -m tests.support.llama_cpp_server FOLDER` prints {"port": N}.

What it says means nothing, but its grammars are real: with a schema the words fit it. Needs the packages `xllamacpp` (llama.cpp with
its HTTP server, one wheel of 34 MB) and `gguf`, in a folder of their own: see `HERE`. Ends with its standard input.
"""

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parents[2] / "build" / "llama-cpp"
INSTALL = f"pip install --no-deps --target {HERE.relative_to(HERE.parents[1])} xllamacpp==2026.10.11549 gguf==0.19.0"


def write_model(path: Path, width: int = 64, layers: int = 2, heads: int = 4) -> None:
    """A llama of bytes. Its first dimension is the same everywhere: by it printable characters are likely, and ends likelier."""
    import gguf

    random = np.random.default_rng(0)
    tokens = [b"<unk>", b"<s>", b"</s>"] + [f"<0x{byte:02X}>".encode() for byte in range(256)]
    kind = gguf.TokenType
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(8192)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(2 * width)
    writer.add_head_count(heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(width // heads)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types([kind.UNKNOWN, kind.CONTROL, kind.CONTROL] + [kind.BYTE] * 256)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_space_prefix(False)

    def matrix(rows: int, columns: int) -> np.ndarray:
        return (random.standard_normal((rows, columns)) * 0.1).astype(np.float32)

    embedding, output = matrix(len(tokens), width), matrix(len(tokens), width)
    embedding[:, 0] = 4
    output[:, 0] = [-10, -10, 0] + [0 if 32 <= byte < 127 else -10 for byte in range(256)]
    for character, bias in {'"': 0.4, "}": 0.4, "]": 0.4, ",": 0.3}.items():
        output[3 + ord(character), 0] = bias
    writer.add_tensor("token_embd.weight", embedding)
    writer.add_tensor("output.weight", output)
    writer.add_tensor("output_norm.weight", np.ones(width, np.float32))
    sizes = dict.fromkeys(("attn_q", "attn_k", "attn_v", "attn_output"), (width, width))
    sizes |= {"ffn_gate": (2 * width, width), "ffn_up": (2 * width, width), "ffn_down": (width, 2 * width)}
    for layer in range(layers):
        for name, size in sizes.items():
            weights = matrix(*size)
            if name in ("attn_output", "ffn_down"):
                weights[0] = 0  # the first dimension stays as it is
            writer.add_tensor(f"blk.{layer}.{name}.weight", weights)
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", np.ones(width, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def serve(folder: Path) -> None:
    import xllamacpp

    path = folder / "tiny.gguf"
    write_model(path)
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.n_ctx, parameters.n_parallel = 32768, 4
    parameters.n_gpu_layers, parameters.cpuparams.n_threads = 0, 1
    parameters.hostnames, parameters.port = ["127.0.0.1"], 0
    parameters.sampling.seed, parameters.use_jinja = 1, True
    server = xllamacpp.Server(parameters)
    print(json.dumps({"port": int(server.listening_address.rpartition(":")[2])}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    serve(Path(sys.argv[1]))
