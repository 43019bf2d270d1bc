# make demo       see it work against a simulated estate and real net-snmp
# make test       everything that must hold
# make lint       vet, staticcheck, govulncheck, smilint
# make bench-snmp our subagent against one written with libsnmp
# make fuzz       a minute on each fuzz target, or FUZZTIME=1000000x; each text
#                 of FuzzFormats goes to every format, so that it counts for each

GO       ?= go
ONCE     ?=
FUZZTIME ?= 60s
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.9.0

.PHONY: build demo test lint bench-snmp fuzz

build:
	$(GO) build -o bin/lunawatch ./cmd/lunawatch

demo: build
	$(GO) run ./cmd/demo $(if $(ONCE),-once)

test: build
	$(GO) test -race ./...

lint:
	@test -z "$$(gofmt -l .)" || { echo "gofmt would change:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	@out=$$($(GO) run $(GOVULNCHECK) ./... 2>&1); code=$$?; \
	case "$$out" in \
	*"dial tcp"*|*"Forbidden"*|*"no such host"*|*"fetching vulnerabilities"*) echo "govulncheck: SKIPPED, it or its database cannot be reached";; \
	*) echo "$$out"; exit $$code;; \
	esac
	SMIPATH=$(CURDIR)/mibs:$(CURDIR)/mibs/base; export SMIPATH; \
	for m in mibs/*.txt; do out=$$(smilint -l 3 ./$$m 2>&1); test -z "$$out" || { echo "$$out"; exit 1; }; done

bench-snmp:
	$(GO) run ./mib/benchsnmp -free

fuzz:
	@for target in $$(grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u); do \
		for f in $$(grep -hoE '^func Fuzz[A-Za-z0-9]+' $$target/*_test.go | sed 's/func //'); do \
			$(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x $$target || exit 1; \
		done; \
	done
