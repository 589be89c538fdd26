"""What everybody in the channel is told when somebody promotes past what should have stopped them."""

from core.promotion import Promotion
from core.sentence import Sentence


def glass_broken(promotion: Promotion) -> Sentence:
    """Say who broke the glass, for what, past what and why."""
    assert promotion.break_glass, "nobody is told of glass that is whole"
    return Sentence.of(
        promotion.requested_by,
        f" broke the glass: {promotion.release} goes out to {promotion.app} although ",
        Sentence.join(" and although ", promotion.through),
        f"; the reason: “{promotion.break_glass}”",
    )
