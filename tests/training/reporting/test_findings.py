from training.reporting.findings import EXAMPLES_A_CLASS, Findings


def test_examples_are_right_or_wrong_and_the_surest_come_first(bare: Findings) -> None:
    for examples in bare.examples:
        for gallery, is_right in ((examples.right, True), (examples.wrong, False)):
            assert len(gallery) <= EXAMPLES_A_CLASS
            assert all(face.label == examples.emotion for face in gallery)
            assert all((face.reading == face.label) is is_right for face in gallery)
            sureness = [face.confidence for face in gallery]
            assert sureness == sorted(sureness, reverse=True)


def test_a_latency_names_its_processor(bare: Findings) -> None:
    assert bare.latency.ms > 0
    assert bare.latency.processor
