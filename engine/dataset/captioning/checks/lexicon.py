"""Words that are known of captions, in English: small words, and words for distance, light, clothes, places, people."""

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

SUBJECTS: Final = _set("""
    woman women man men person people adult couple lady gentleman model dancer bride groom face head hair beard moustache
    eye eyes skin freckle lips smile hand hands arm shoulder leg body figure cat dog horse bird
""")
"""Words for somebody who is in a picture."""

PLACES: Final = _set("""
    room kitchen bedroom bathroom living-room hall hallway corridor office studio café cafe bar restaurant hotel library
    museum church street road alley city town village square park garden yard forest wood meadow field beach sea ocean
    lake river shore coast mountain hill valley desert roof rooftop balcony terrace stair staircase bench chair armchair
    seat stool sofa couch bed table desk counter shelf wall fence door doorway floor ground grass rock water snow sand
    background backdrop outdoors outside indoors inside station train car boat bridge pier tree rain fog
    mist a-window the-window
""")
"""Words for where something is; two words that only mean a place together are joined by a hyphen."""

CAMERA: Final = _set("""
    lens bokeh grain film-grain grainy film analog analogue polaroid kodak portra fujifilm leica hasselblad canon nikon
    dslr depth-of-field sharp focus aperture exposure photography snapshot angle low-angle high-angle perspective 35mm
""")
"""Words for what a picture was taken with, and how; distances are in `SAID`."""
