#!/bin/sh
# Builds FacesearchNames.ttf, the one font that names are drawn in: Noto Sans for the alphabets, Droid Sans Fallback
# for Chinese, Japanese and Korean. Neither has all scripts, and one font lets text of several scripts be laid out as
# one line. Run it in an empty folder on Debian 12, with fonttools 4.60 or newer on the PATH.
set -eu
export SOURCE_DATE_EPOCH=1609459200 # the same font each time

apt-get download fonts-noto-core fonts-noto-ui-core fonts-droid-fallback
for package in *.deb; do dpkg -x "$package" .; done
mkdir parts

# part FILE RANGES: only what this file is for, without hints, which our sizes do not need. 512 units a quadrat are
# the fewest that show no rounding; Noto has 1000, and Droid Sans Fallback 256.
part() {
    file=$(find usr -name "$1")
    pyftsubset "$file" --unicodes="$2" --no-hinting --layout-features='*' --notdef-outline --name-IDs='' \
        --drop-tables+=vmtx,vhea,FFTM --output-file="parts/$1"
    fonttools ttLib.scaleUpem --output-file="parts/$1" "parts/$1" 512
}

part NotoSans-Regular.ttf '*'
part NotoSansArmenian-Regular.ttf 0531-058F,FB13-FB17
part NotoSansHebrew-Regular.ttf 0591-05F4,FB1D-FB4F
part NotoSansArabicUI-Regular.ttf 0600-06FF,0750-077F,08A0-08FF,FB50-FDFF,FE70-FEFC
part NotoSansThaana-Regular.ttf 0780-07B1
part NotoSansNKo-Regular.ttf 07C0-07FF
part NotoSansDevanagariUI-Regular.ttf 0900-097F,1CD0-1CFF,200C-200D,25CC,A8E0-A8FF
part NotoSansBengaliUI-Regular.ttf 0980-09FF
part NotoSansGurmukhiUI-Regular.ttf 0A00-0A7F
part NotoSansGujaratiUI-Regular.ttf 0A80-0AFF
part NotoSansOriyaUI-Regular.ttf 0B00-0B7F
part NotoSansTamilUI-Regular.ttf 0B80-0BFF
part NotoSansTeluguUI-Regular.ttf 0C00-0C7F
part NotoSansKannadaUI-Regular.ttf 0C80-0CFF
part NotoSansMalayalamUI-Regular.ttf 0D00-0D7F
part NotoSansSinhalaUI-Regular.ttf 0D80-0DFF
part NotoSansThaiUI-Regular.ttf 0E00-0E7F
part NotoSansLaoUI-Regular.ttf 0E80-0EFF
part NotoSansMyanmarUI-Regular.ttf 1000-109F,A9E0-A9FF,AA60-AA7F
part NotoSansGeorgian-Regular.ttf 10A0-10FF,1C90-1CBF,2D00-2D2F
part NotoSansEthiopic-Regular.ttf 1200-139F,2D80-2DDF,AB01-AB2E
part NotoSansKhmerUI-Regular.ttf 1780-17FF,19E0-19FF
part NotoSansTifinagh-Regular.ttf 2D30-2D7F
part NotoSansSymbols2-Regular.ttf 2600-27BF
part DroidSansFallback.ttf 2E80-2FDF,3000-9FFF,AC00-D7A3,F900-FAFF,FE30-FE4F,FF00-FFEF

# Noto Sans first: its ascent and descent become the font's.
fonttools merge --output-file=merged.ttf parts/NotoSans-Regular.ttf \
    $(find parts -name 'Noto*' ! -name NotoSans-Regular.ttf | LC_ALL=C sort) parts/DroidSansFallback.ttf
mv merged.ttf FacesearchNames.ttf
