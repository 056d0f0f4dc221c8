#!/usr/bin/env bash
# In the release workflow: sign the installer. Without a certificate this does nothing.
set -euo pipefail
[ -n "${CERTIFICATE:-}" ] || { echo "No certificate: the installer is not signed."; exit 0; }

echo "$CERTIFICATE" | base64 --decode > "$RUNNER_TEMP/certificate.pfx"
signtool=$(ls -d "/c/Program Files (x86)/Windows Kits/10/bin/"*/x64/signtool.exe | tail -1)
MSYS_NO_PATHCONV=1 "$signtool" sign /f "$RUNNER_TEMP/certificate.pfx" /p "$PASSWORD" /fd sha256 \
    /tr http://timestamp.digicert.com /td sha256 dist/*-setup.exe
rm "$RUNNER_TEMP/certificate.pfx"
