"""What a text encoder of transformers says of embeddings that were looked up already."""

import torch


def states(text, embeddings):
    """The text encoder's output for embeddings that were looked up already."""

    class Given(torch.nn.Module):
        def forward(self, input_ids):
            return embeddings

    inner = getattr(text, "text_model", text)
    table, inner.embeddings.token_embedding = inner.embeddings.token_embedding, Given()
    result = text(input_ids=torch.zeros(embeddings.shape[:2], dtype=torch.long)).last_hidden_state
    inner.embeddings.token_embedding = table
    return result
