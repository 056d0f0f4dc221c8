#!/usr/bin/env bash
# In the release workflow: make the certificate and the notary's key known to the steps that follow. Without a
# certificate this does nothing, and the app is signed ad hoc.
set -euo pipefail
[ -n "${CERTIFICATE:-}" ] || { echo "No certificate: the app is signed ad hoc."; exit 0; }

keychain=$RUNNER_TEMP/continuo.keychain-db
secret=$(uuidgen)
security create-keychain -p "$secret" "$keychain"
security set-keychain-settings -lut 21600 "$keychain"
security unlock-keychain -p "$secret" "$keychain"
echo "$CERTIFICATE" | base64 --decode > "$RUNNER_TEMP/certificate.p12"
security import "$RUNNER_TEMP/certificate.p12" -P "$PASSWORD" -f pkcs12 -k "$keychain" -T /usr/bin/codesign
security set-key-partition-list -S apple-tool:,apple: -k "$secret" "$keychain" > /dev/null
security list-keychains -d user -s "$keychain" login.keychain-db
rm "$RUNNER_TEMP/certificate.p12"
identity=$(security find-identity -v -p codesigning "$keychain" | sed -n 's/.*"\(Developer ID Application: .*\)"/\1/p' | head -1)
echo "CODESIGN_IDENTITY=$identity" >> "$GITHUB_ENV"

[ -n "${NOTARY_KEY:-}" ] || { echo "No key for the notary: the app is signed, not notarised."; exit 0; }
echo "$NOTARY_KEY" | base64 --decode > "$RUNNER_TEMP/notary.p8"
xcrun notarytool store-credentials continuo --key "$RUNNER_TEMP/notary.p8" --key-id "$NOTARY_KEY_ID" --issuer "$NOTARY_ISSUER"
rm "$RUNNER_TEMP/notary.p8"
echo "NOTARY_PROFILE=continuo" >> "$GITHUB_ENV"
