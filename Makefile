# "make help" lists the targets; the words after ## are what it prints.

GO       ?= go
ONCE     ?=
FUZZTIME ?= 60s
# 1 has users, groups and host names looked up by libc: docs/build.md.
CGO_ENABLED ?= 0
GOLANGCI    = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOVULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.9.0
# Later releases need modules that not every proxy serves (go.digitalxero.dev).
NFPM        = github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.0

# The tag's; between tags and without one, the commit and its time, so that packages sort.
VERSION ?= $(shell packaging/version)
ARCH    ?= $(shell $(GO) env GOARCH)

.PHONY: build reproducible sbom mkp demo demo-cluster pictures test lint bench-snmp bench-size fuzz packages release help

# The commit, the Go release and the platform decide the bytes: no path, and no GOFLAGS.
build: ## bin/lunawatch (the default)
	GOFLAGS= CGO_ENABLED=$(CGO_ENABLED) $(GO) build -trimpath -buildvcs=true -o bin/lunawatch ./cmd/lunawatch

# An empty cache for the second, or it would take what the first has compiled.
reproducible: ## build the commit in two places, in one of them from nothing, and compare
	@set -e; dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	git clone -q . "$$dir/one"; $(MAKE) -s -C "$$dir/one" build; \
	git clone -q . "$$dir/another/place"; GOCACHE="$$dir/cache" $(MAKE) -s -C "$$dir/another/place" build; \
	cmp "$$dir/one/bin/lunawatch" "$$dir/another/place/bin/lunawatch"; \
	echo "$$(git rev-parse HEAD): two builds in two places are equal"; \
	sha256sum < "$$dir/one/bin/lunawatch"

sbom: build ## bin/lunawatch.cdx.json: what is linked into it, as CycloneDX 1.6
	$(GO) run ./cmd/sbom -o bin/lunawatch.cdx.json bin/lunawatch

# Times in a package are those of the commit, so the same commit gives the same bytes.
packages: build ## dist/*.deb and *.rpm
	@$(GO) run $(NFPM) --version >/dev/null 2>&1 || { echo "nfpm cannot be fetched: no packages"; exit 1; }
	rm -rf bin/share && ./bin/lunawatch manuals -out bin/share >/dev/null && gzip -9n bin/share/man/man?/*
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(GO) run ./contrib/checkmk/mkp -version $(VERSION) -o bin/share/lunawatch.mkp
	@mkdir -p dist; for kind in deb rpm; do \
		SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) VERSION=$(VERSION) ARCH=$(ARCH) \
			$(GO) run $(NFPM) package -f packaging/nfpm.yaml -p $$kind -t dist/ || exit 1; \
	done

mkp: ## dist/lunawatch.mkp: the plugin for Checkmk
	@mkdir -p dist
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(GO) run ./contrib/checkmk/mkp -version $(VERSION) -o dist/lunawatch.mkp

release: ## dist/ of a tagged commit: packages, program, SBOM, its changelog, checksums
	@packaging/release

demo: build ## try it on a simulated estate and real net-snmp; ONCE=1 checks it and ends
	$(GO) build -o bin/lunasim ./cmd/lunasim
	$(GO) run ./cmd/demo $(if $(ONCE),-once)

demo-cluster: build ## two agents on one etcd, of which one is killed; ONCE=1 checks it and ends
	$(GO) build -o bin/lunasim ./cmd/lunasim
	$(GO) run ./cmd/demo -cluster $(if $(ONCE),-once)

pictures: ## docs/pictures/: the pages in Chromium, of a pretended estate
	@mkdir -p docs/pictures
	$(GO) test ./exporters/page -count=1 -run TestPictures -pictures $(CURDIR)/docs/pictures

# The race detector has each process wait a second at its end, of which a tenth is enough.
# Many tests wait for real peers, so that two cores have time for three packages.
test: build ## every test, with the race detector
	GORACE=atexit_sleep_ms=100 $(GO) test -race -p 3 ./...

lint: ## golangci-lint (or gofmt and vet), govulncheck, smilint
	@test -z "$$(gofmt -l .)" || { echo "gofmt would change:"; gofmt -l .; exit 1; }
	@if $(GO) run $(GOLANGCI) version >/dev/null 2>&1; then $(GO) run $(GOLANGCI) run ./...; \
	else echo "golangci-lint: SKIPPED, it cannot be fetched; go vet instead"; $(GO) vet ./...; fi
	@out=$$($(GO) run $(GOVULNCHECK) ./... 2>&1); code=$$?; \
	case "$$out" in \
	*"dial tcp"*|*"Forbidden"*|*"no such host"*|*"fetching vulnerabilities"*) echo "govulncheck: SKIPPED, it or its database cannot be reached";; \
	*) echo "$$out"; exit $$code;; \
	esac
	SMIPATH=$(CURDIR)/mibs:$(CURDIR)/mibs/base; export SMIPATH; \
	for m in mibs/*.txt; do out=$$(smilint -l 3 ./$$m 2>&1); test -z "$$out" || { echo "$$out"; exit 1; }; done

bench-snmp: ## compare our subagent with one written with libsnmp
	$(GO) run ./mib/benchsnmp -free

bench-size: ## what 10, 100 and 1,000 HSMs cost, or ARGS="-sizes 5,20 -minutes 0.5"
	$(GO) run ./agent/benchsize $(ARGS)

# FuzzFormats gives each text to every format, so one execution counts for each.
fuzz: ## a minute on each fuzz target, or FUZZTIME=1000000x
	@for target in $$(grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u); do \
		for f in $$(grep -hoE '^func Fuzz[A-Za-z0-9]+' $$target/*_test.go | sed 's/func //'); do \
			$(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x $$target || exit 1; \
		done; \
	done

help: ## this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20
