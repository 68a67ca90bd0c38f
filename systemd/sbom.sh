#!/bin/sh
# Write what a Python environment is made of: sbom.cdx.json (CycloneDX) and licences.txt, into a folder.
#
#   sh systemd/sbom.sh ENVIRONMENT FOLDER    (with cyclonedx-py and pip-licenses on the path: make sbom)
set -eu
environment=$1
folder=$2
mkdir -p "$folder"
cyclonedx-py environment --output-reproducible --output-file "$folder/sbom.cdx.json" "$environment/bin/python"
pip-licenses --python="$environment/bin/python" --with-system --with-urls --with-license-file --no-license-path \
    --format=plain-vertical >"$folder/licences.txt"
