"""Words that checks of captions know, in English: small words, and words for distance, light and clothes."""

from collections.abc import Mapping
from typing import Final


def _set(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


FUNCTION_WORDS: Final = _set("""
    a an the this that these those some any each every and or but nor so yet of in on at by to from with without into
    onto over under above below near beside behind before after between among against along around across through during
    for as about is are was were be been being has have had having do does did done it its it's he she they them his her
    hers their theirs who whom whose which what there here then than too very also only just not no if while where when
    up down out off photo photograph picture image portrait shot
""")
"""They say nothing of what is in a picture."""

SAID: Final[Mapping[str, frozenset[str]]] = {
    "distance": _set("""
        close-up closeup close-ups closeups macro headshot head-shot bust half-body half-length three-quarter full-body
        full-length wide-shot wide long-shot medium mid-shot waist-up knee-up upper-body cowboy tight distant
        extreme-close-up
    """),
    "light": _set("""
        light lights lighting lit backlit backlight backlighting sidelit underlit sun sunlight sunlit sunny sunrise
        sunset daylight window softbox strobe flash lamp lamplight candle candlelight candlelit neon moonlight moonlit
        dusk dawn twilight night overcast cloudy shade shadow shadows shadowy silhouette rim-light golden-hour blue-hour
        low-key high-key ambient dim dark bright glow glowing hazy studio-light spotlight chiaroscuro evening morning
    """),
    "wardrobe": _set("""
        dress dresses gown shirt t-shirt tshirt blouse top tank-top sweater jumper pullover cardigan hoodie jacket
        blazer coat cloak trenchcoat vest waistcoat suit tuxedo trousers pants jeans denim shorts skirt leggings tights
        stockings lingerie bra bikini swimsuit swimwear bodysuit corset robe kimono sari scarf hat cap beanie hood
        gloves boots shoes sneakers heels sandals barefoot uniform apron overalls jumpsuit tie bow-tie belt necklace
        earrings jewelry jewellery glasses sunglasses veil turtleneck sleeveless sleeves linen cotton silk wool woollen
        leather lace knitted wearing wears dressed outfit clothes clothing nude naked topless shirtless
    """),
}  # fmt: skip
"""What a picture can be known for -> words that speak of it."""
