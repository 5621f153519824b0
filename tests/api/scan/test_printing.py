"""Loops in printed graphs: as in Theano 1.0.5, their bodies follow the graph."""

import theano
import theano.tensor as T

POWER = """\
for{cpu,scan_fn} [id A] ''   
 |Elemwise{Cast{int64}} [id B] ''   
 | |k [id C]
 |B [id D]
 |InplaceDimShuffle{x,0} [id E] ''   
 | |start [id F]
 |A [id G]

Inner graphs of the scan ops:

for{cpu,scan_fn} [id A] ''   
 >Elemwise{add,no_inplace} [id H] ''   
 > |Elemwise{mul,no_inplace} [id I] ''   
 > | |start[t-1] [id J] -> [id E]
 > | |A_copy [id K] -> [id G]
 > |InplaceDimShuffle{x} [id L] ''   
 >   |B[t] [id M] -> [id D]
"""  # noqa: W291 (the lines of Theano end so)


def test_the_body_follows():
    k, a, b, start = T.iscalar("k"), T.dvector("A"), T.dvector("B"), T.dvector("start")
    rows, _ = theano.scan(lambda b, last, a: last * a + b, b, start, a, n_steps=k)
    assert theano.printing.debugprint(rows.owner.inputs[0], file="str") == POWER


def test_loops_in_loops_follow_once():
    def inner(row):
        return theano.scan(lambda x, s: s * x, row, T.ones(()))[0]

    m = T.dmatrix("M")
    rows, _ = theano.scan(inner, m)
    text = theano.printing.debugprint([rows, rows + 1], file="str", print_type=True)
    outer, *bodies = text.split("Inner graphs of the scan ops:")[1].strip().split("\n\n")
    assert len(bodies) == 1
    assert "|M[t] [id M] <TensorType(float64, vector)> -> [id C]" in outer
    assert bodies[0].splitlines()[1].startswith(" >Elemwise{mul,no_inplace}")
    compiled = theano.function([m], rows)
    assert "Inner graphs" in theano.printing.debugprint(compiled, file="str")


def test_a_loop_that_may_end_early_is_a_do_while():
    b = T.dscalar("b")
    powers, _ = theano.scan(lambda p: (2 * p, theano.scan_module.until(p > 10)), None, b, n_steps=9)
    text = theano.printing.debugprint(powers, file="str")
    assert text.splitlines()[1] == " |do_while{cpu,scan_fn} [id B] ''   "
