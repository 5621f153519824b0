"""Systems, factorisations and spectra of matrices, through LAPACK."""
