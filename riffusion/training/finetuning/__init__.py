"""The parts of a fine-tuning: options, embeddings of captions, loss, trained weights, and the files of results."""
