"""Operations and types that users write as in Theano 1.0.5."""
