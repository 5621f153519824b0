"""What notebooks show: tables of facts, and small pictures."""

import itertools
import xml.etree.ElementTree as ET

import numpy as np

import theano
import theano.tensor as T

SVG = "{http://www.w3.org/2000/svg}"


def texts(picture):
    return [str(each.text) for each in ET.fromstring(picture).iter(f"{SVG}text")]


def test_a_variable_has_a_picture():
    x, w = T.dmatrix("x"), theano.shared(np.ones((3, 2)), "w")
    y = T.tanh(T.dot(x, w)) * 2
    found = texts(y._repr_svg_())
    assert {"x", "w", "dot", "tanh", "mul", "2"} <= set(found)
    assert y._repr_svg_() in y._repr_html_() and "tanh" in y._repr_html_()
    # What is used twice is one box.
    assert texts((x + x * x)._repr_svg_()).count("x") == 1
    # An input is no graph.
    assert "<svg" not in x._repr_html_()


def test_boxes_do_not_overlap():
    x = T.dvector("x")
    y = sum(T.sin(x + k) for k in range(8))
    boxes = {}
    for each in ET.fromstring(y._repr_svg_()).iter(f"{SVG}rect"):
        left = float(each.attrib["x"])
        boxes.setdefault(each.attrib["y"], []).append((left, left + float(each.attrib["width"])))
    for row in boxes.values():
        row.sort()
        assert all(one[1] <= two[0] for one, two in itertools.pairwise(row))


def test_functions_and_graphs():
    x = T.dvector("x")
    f = theano.function([x], T.exp(x).sum(), name="total")
    assert "exp" in texts(f._repr_svg_()) and "total" in f._repr_html_()
    assert "exp" in f.maker.graph._repr_html_() and f.maker.graph._repr_svg_()


def test_large_graphs_have_no_picture():
    y = T.dvector("x")
    for _ in range(60):
        y = T.tanh(y)
    assert y._repr_svg_() is None and "<svg" not in y._repr_html_()


def test_what_users_name_is_no_markup():
    x = T.dvector("<script>&")
    assert "<script>" not in T.exp(x)._repr_html_()


def test_profiles_and_settings_say_what_they_are():
    x = T.dvector("x")
    f = theano.function([x], T.exp(x), profile="wave")
    f([1.0])
    assert repr(f.profile).startswith("<profile of wave: 1 calls")
    assert "Function profiling" in f.profile._repr_html_()
    assert "settings" in repr(theano.config)
