"""Pictures' parts that Pillow does not write: ICC profiles, HEIC files."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence

import numpy as np

D50 = (0.9642, 1.0, 0.8249)
# Display P3: the primaries of DCI-P3 with a D65 white, adapted to D50.
P3_COLUMNS = (
    (0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407),
)  # fmt: skip
PROPHOTO_COLUMNS = ((0.79767, 0.28804, 0.0), (0.13519, 0.71188, 0.0), (0.03134, 0.00009, 0.82491))
# The IEC's curve, as ICC's function 3: gamma, a, b, c, d.
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)

Curve = float | Sequence[float]


def _profile(kind: bytes, space: bytes, between: bytes, tags: list[tuple[bytes, bytes]]) -> bytes:
    at, table, content = 132 + 12 * len(tags), b"", b""
    for name, data in tags:
        table += name + struct.pack(">II", at + len(content), len(data))
        content += data + bytes(-len(data) % 4)
    header = struct.pack(
        ">I4sI4s4s4s12s4s28s3i", at + len(content), b"", 0x02400000, kind, space, between,
        bytes(12), b"acsp", bytes(28), *_fixed(D50),
    )  # fmt: skip
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + content


def _fixed(values: Sequence[float]) -> list[int]:
    return [round(value * 65536) for value in values]


def _xyz(values: Sequence[float]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *_fixed(values))


def _curve(curve: Curve) -> bytes:
    if isinstance(curve, float):
        return b"curv" + bytes(4) + struct.pack(">IH", 1, round(curve * 256))
    return b"para" + bytes(4) + struct.pack(">HH5i", 3, 0, *_fixed(curve))


def rgb_profile(columns: Sequence[Sequence[float]], curve: Curve = SRGB_CURVE) -> bytes:
    """An ICC profile of a matrix (its columns: red, green, blue in XYZ) and a curve."""
    tags = [
        (name, _xyz(column))
        for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)
    ]
    tags += [(name, _curve(curve)) for name in (b"rTRC", b"gTRC", b"bTRC")]
    return _profile(b"mntr", b"RGB ", b"XYZ ", [*tags, (b"wtpt", _xyz(D50))])


def grey_profile(gamma: float) -> bytes:
    return _profile(b"mntr", b"GRAY", b"XYZ ", [(b"kTRC", _curve(gamma)), (b"wtpt", _xyz(D50))])


def cmyk_profile(lab: dict[tuple[int, int, int, int], tuple[float, float, float]]) -> bytes:
    """A printer's profile: the colours (CIELAB) of the 16 ways to print inks fully or not."""
    ramp = np.arange(256, dtype=np.uint8).tobytes()
    cells = b"".join(
        bytes([round(lightness * 2.55), round(a + 128), round(b + 128)])
        for _, (lightness, a, b) in sorted(lab.items())
    )
    matrix = struct.pack(">9i", *_fixed((1, 0, 0, 0, 1, 0, 0, 0, 1)))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + matrix + 4 * ramp + cells + 3 * ramp
    return _profile(b"prtr", b"CMYK", b"Lab ", [(b"A2B0", table), (b"wtpt", _xyz(D50))])


def quarters(width: int = 64, height: int = 96) -> np.ndarray:
    """Red, green, blue, yellow, in reading order."""
    picture = np.empty((height, width, 3), np.uint8)
    low, right = height // 2, width // 2
    picture[:low, :right], picture[:low, right:] = (200, 60, 60), (60, 180, 60)
    picture[low:, :right], picture[low:, right:] = (60, 60, 200), (220, 220, 60)
    return picture


def heic(packed: bytes) -> bytes:
    return zlib.decompress(base64.b85decode(packed))


# `quarters` lying on its side, told twice: by the file's own rotation and by EXIF's orientation 6,
# as telephones do; EXIF's focal length is 26 mm, the profile says Adobe RGB.
ROTATED_HEIC = heic(
    b"c-muNV30{GsVvAy&8%Pmg51nBLl8SRGck>Uf$3vzYDppk1Sn>t<P<^K3<a6VB@Af5Br_*J8N_gLU|?ck1hJS!Av6"
    b"O6BQsD82v{UwA`DJIY>}Cnmj>p6WJQ6TRIoCjnvAk!Lk1*4MvxNMicGL_zJkn>Tn4C0CWFj^q5>c-kXewN4-_j0>"
    b"UCyh;Q%t{S%4JDePH<W|Hlso27cxQpbl{dMjpoh|3M0v!77-6N_H_hBm(8MoERBVB_^;5C~UgxscL%mfU{#GNK6t"
    b"$FmfaTm2<c-9xQ6(VNwCQBqcdNr>LMPALv5H2(X_7fFYV!QWWIwq!1AqrGOk-iOIzU40yq}YmlJ2tjj<;U@r;@at"
    b"6{jK!KGGVZQ*elOXILAa)VZQ9!qX!bv0@!j=KClOSvZ5WBpj02tGZE+BStX;B%}d`2c?1_nZWgrDa~FfjNp1xEiL"
    b"gqTS$1H%FxV4O@vh^YaiTtJ_JVc#5t7)m&ZWEK~sLhVQZVh11=D9EhH1SdBR4v=3sGmG*|fHB7)ky(%nOTLT@jI5"
    b"1J%q*=ywp3<OY8q6WFFB<+8Ju2$mN5F}rX+$A_J0k=^(;T$EPZM9^e_Ma|38K7|9|gWB)luO_Q$l)|1VV^)-C)dc"
    b"wa5VlPmuK^YeyHx}_}qhbB*|ZeZY!V=9wybGuk#*RlOpn9R+o+uH7H|6)iyrMN@D@7K~)FByjN`jZ#FJ2l3$J!#6"
    b"D{qKmha`|OB`%`OnPP!U+zheK=dI@%4AE%CECi?d7kN<vGOE=C<>HXWfWkL-59RGFp%;K5#T{ZKczCSm2>c2Vf{C"
    b"~uM|1Yk>>bt7r`|{nl9TsHYxpX{y@yl<@dv+-bTifnvNav}o>oV!PxOl=Y<+GtZo01keO3O^hsouQ7w#B=zZiA)q"
    b"<eN_nkF;G_Kb`Am!s%oK`z2R^LBIydYreh=T0kBL0~4bVC_4ayiH(7wJ(Gb2lKB|aAi=wY6)GzQ30DBY#rfR"
)
# `quarters`, opaque from column 16 to 47 in the rows 20 to 75, transparent around.
CUT_OUT_HEIC = heic(
    b"c-muNV30{GsVvAy&8%Pmg51nBLl8SRGck>UfypH|wIq=N0u(b+a*CjAhJwuG5(YG2l9`jA3}U!AFfcJNf>=x$5So"
    b"F3kr^lk1kBkm5hfKNVUd}cmj>Yiu_%y}3RVVGlTnsz$bcfqgb?H_$SlcafU0C{&MYV@0MfCU1<Cn9v2vg?XGRtdA"
    b"akAtNRiwJhCly*{9s_<XHEd>5O-kYVf_Ceq<|T$f*Gh}7n4IGP)^H<kr7p50*ipbrn{c1re_a0J2ryEBtZltM-os"
    b"uhYRDuqBb6|XM~gUbBgkkb1H!1ybNp&Kp~OL;(}CY_&5M@0uT!nWL9K?!-9hY<isL`Yv=!fx%LkZ*Md|axmFGCTA"
    b"0LvCN{C?l`6}2ZcqRUFoOsNMUYF`K`z~(<Nyghhzl4&mZ~R~Ryc!rrA2vGxdo}|RvD>f$yP=NhNf0Psmv5BaFEMo"
    b"7UaUx0x)`68kv|`7?@aEnc3QbB2t+}scBGIKA^4~a1sDU4zqr4N+Kw&{MTSy&+_BV(wA0m|DP=X|NrxZd#8VX=h4"
    b"6O`@+rtUz+y+zg4X5C%)<5ocC_Oww3*V7x?Jp<V-G+$;|@GXSViT_rF$H=QTgfDlPMm_{Hz-yLmRJvn_e>=I^DnX"
    b"`3v!sa?A<dm6v<iCLzH^RNFqz5oB~NB@60t=#weOK9iXm+M5<cfaaQ_+WiZVM3;oZq>x#1+|eof2}+)t@qZm3kNy"
    b"dmwO-ov;W+Ojohj(yTx_B%-H?t^^!MQN7eLNM6#CEIEZa@pLuXj(DCzk8(&BKPyX}!FaPR7rP~I)2A7^rvHh4TH$"
    b"Oj)as3`0om0W*f7#_ToWJoqXqV<|G4<d3^DjR-+WoKVz}W}DP*c!gT*vw0?ef$}^M5~Y`E=AJKArmg<zKnE5&t>r"
    b"*Z04W$eQ_0cfK$0hgWx*dH!37{ADZtk#qN_RQaSXrLBjbz0`O&E6=9(+2M(z!mm0aZS)1sB(TjEx}ASwQE~qneU+"
    b"dZ`v-3qp1!_B<~EDw`}pL2DZZ^LwJyB-nGIccwQX04WIB3z>6g>Gna97z-pO$&|G9t3@s0b|TIBU;KQH?3Y!JEsW"
    b"%Z8Z3tP7B+Pi8yzX<d0T?tzEzbJM3uc=kOA6j~?zS;Nh{+q}C_gEXw^U+u>C*pE!?mEVlb2C4!5!w7imFH9V%RAe"
    b";cQ#MI9kw^&P04W+_21_nh@EelTUk;oVIY{7;mdybaAqwdPsrB#h3-5j4n5{cR51T*v1NUc%GTr~359IW3Tn(BpR"
    b"+lzdxDhw2mAYf@2`GbasQXcTazZi^ZnCJ(pm({;&y3$o6OMA^C53Rvi+OqPj+AWw!xb5-;rItzw8%=Yx6mXe^`H@"
    b"D%Lh~+j6(+t8-4?+_lNa<z(us&}f<2Dh&CLc+`E^ES}b0zWwaeeVyr@=B1DI45VMg-;d-m{KNci`z^8U@qhAU&aC"
    b"|ZN%i;ffAyVTpX+>o#5!%g@ss*}T%WJ@KjhQT`(=B5!mq~As{esY%eVNRJy_zfTqmLP`}vfdU6x1Kn?HA)DUhs@5"
    b"zPFulk<YB!iwFI2d1q${m%Z|^}i}1|5h#v+V*b3)s1$(IZ5Gj4V3R$n!k`+;b5YE_}c;ibEPBv"
)
