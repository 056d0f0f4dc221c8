#!/usr/bin/env bash
# From dist/Continuo.app to a dmg to drag it out of; `make dist` runs it on macOS.
#
# Signing and notarising happen where these are set, and are left out without a word of failure where not:
#   CODESIGN_IDENTITY   "Developer ID Application: ..." of a certificate in the keychain (build.spec signs with it, too)
#   NOTARY_PROFILE      a profile stored by `xcrun notarytool store-credentials`
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
version=$1
app=dist/Continuo.app
dmg=dist/Continuo-$version-$(uname -m).dmg

plutil -lint "$app/Contents/Info.plist"
codesign --verify --deep --strict "$app" # without a certificate PyInstaller has signed it ad hoc

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp -R "$app" "$folder/"
ln -s /Applications "$folder/Applications"
cp resources/installer/terms.txt "$folder/Licences.txt"
hdiutil create -volname "Continuo $version" -srcfolder "$folder" -fs HFS+ -format ULFO -ov "$dmg"

if [ -n "${CODESIGN_IDENTITY:-}" ]; then
    codesign --sign "$CODESIGN_IDENTITY" --timestamp "$dmg"
fi
if [ -n "${NOTARY_PROFILE:-}" ]; then
    xcrun notarytool submit "$dmg" --keychain-profile "$NOTARY_PROFILE" --wait
    xcrun stapler staple "$dmg"
fi
(cd dist && shasum -a 256 "$(basename "$dmg")" > SHA256SUMS)
du -sh "$app" "$dmg"
