# A thin front for meson and ninja. Everything that is built stays in build*/; only `install` and the
# two `deps` targets touch the machine.

PREFIX  ?= /usr/local
DESTDIR ?=
SECONDS ?= 20# of each fuzzer
SIM     ?= --count 1000000 --seconds 60# options of the simulator, as in: make sim SIM="--replay 7"
DEMO    ?= # options of `ha demo`, as in: make demo DEMO="--interval 20ms"
BENCH   ?= # options of bench/run, as in: make bench BENCH="--only many"
CALM    ?= # options of bench/calm, as in: make calm CALM="--seconds 10"

build := build
sudo  := $(if $(filter 0,$(shell id -u)),,sudo)
setup := --prefix=$(PREFIX) --sysconfdir=/etc
c_files = $(shell git ls-files 'src/*.[ch]' 'sim/*.[ch]' 'tests/*.[ch]' 'tools/*.[ch]' 'include/ha/*.h' 'examples/*.c' 'bindings/node/src/*.c' 'bench/*.[ch]')

.PHONY: all moves upkeep help deps test-deps demo test test-page model bench bench-quick bench-moves bench-fence bench-standby bench-scale bench-checks bench-instructions calm fuzz fuzz-coverage sim hang mutations coverage install check-format format clean

# The umask: the engine is started as another user, who must be allowed to execute it.
all: $(build)/build.ninja
	@umask 022 && ninja -C $(build)

help:
	@echo 'make            build; run it from the tree as build/ha'
	@echo 'make demo       three servers and a client on this machine: watch the address move (root or sudo)'
	@echo 'make test       build and run every test (root or sudo)'
	@echo 'make bench      measure, side by side with keepalived and ucarp (root or sudo, up to 20 minutes)'
	@echo 'make moves        100 planned moves of each kind under 5,000 requests a second (MOVES=, RATE=): none is lost'
	@echo 'make upkeep       restarts, upgrades and reloads under 5,000 requests a second (UPKEEP=, RATE=): none is lost'
	@echo 'make bench-quick  ... less of it, in 3 minutes; bench-moves: planned moves'
	@echo 'make test-page  look at the status page in chromium, and have promtool check metrics and alerts (root or sudo)'
	@echo 'make model      check the model of the protocol with SPIN; FULL=1: more faults, takes minutes'
	@echo 'make calm          does load alone move an address? (root or sudo, five minutes)'
	@echo 'make bench-scale   what many groups cost (root or sudo, five minutes)'
	@echo 'make bench-instructions  of a heartbeat, counted by callgrind (root or sudo, a minute)'
	@echo 'make bench-checks  do 100 hanging health checks delay heartbeats? (root or sudo, two minutes)'
	@echo 'make bench-fence   what each kind of fence costs (root or sudo, two minutes)'
	@echo 'make bench-standby what standby = warm saves (root or sudo, three minutes)'
	@echo 'make fuzz       run each fuzzer for SECONDS (20); fuzz-coverage: what their corpora reach'
	@echo 'make sim        run clusters through random faults for a minute; SIM="--replay SEED" tells one'
	@echo 'make mutations  plant mistakes in the rules: the simulator must find each'
	@echo 'make coverage   what unit tests, stories and simulation reach of the pure half'
	@echo 'make hang       let holders hang for a minute in every way (six minutes; the tests do two seconds)'
	@echo 'make install    into PREFIX ($(PREFIX)), under DESTDIR if that is set'
	@echo 'make deps       install the Debian packages that the build and the demo need'
	@echo 'make test-deps  ... and those that the tests need'
	@echo 'make format     make the C files look like .clang-format; check-format: only say which do not'
	@echo 'make clean      remove what was built'

$(build)/build.ninja:
	@tools/packages require-commands meson ninja pkg-config gcc
	@umask 022 && meson setup $(build) $(setup) || { rm -rf $(build); tools/packages missing build; exit 1; }

deps:
	@tools/packages install build demo

test-deps:
	@tools/packages install build demo test

demo: deps
	@$(MAKE) --no-print-directory all
	$(sudo) $(build)/ha demo $(DEMO)

test: test-deps
	@tools/run-tests

# Chromium and promtool are large, so this is not a part of `test`.
test-page: test-deps
	@tools/packages install page
	@$(MAKE) --no-print-directory all
	@mkdir -p $(build)/pictures && chmod 777 $(build)/pictures
	promtool check rules packaging/monitoring/ha.rules.yml
	$(sudo) tools/isolated $(build)/pictures $(build) env HA_BUILD=/dev/shm/ha-build \
		/usr/bin/python3 -m pytest -q -p no:cacheprovider tests/page tests/network/test_exporter.py
	@echo 'Pictures of the page: $(build)/pictures/page-*.png'

bench-scale: all
	@tools/packages install bench
	@$(sudo) bench/scale --build $(build)

bench-instructions: all
	@tools/packages install bench
	$(sudo) bench/instructions --build $(build)

calm: all
	@tools/packages install bench
	$(sudo) bench/calm --build $(build) $(CALM)

bench-checks: all
	@tools/packages install bench
	$(sudo) bench/checks --build $(build)

bench-fence: all
	@tools/packages install bench
	@$(sudo) bench/fence --build $(build)

bench-standby: all
	@tools/packages install bench
	@$(sudo) bench/standby --build $(build)

moves: all
	@tools/packages install build demo test
	@mkdir -p $(build)/moves && chmod 777 $(build)/moves
	$(sudo) tools/isolated $(build)/moves $(build) env HA_BUILD=/dev/shm/ha-build HA_MOVES=$(or $(MOVES),100) \
		HA_MOVES_RATE=$(or $(RATE),5000) /usr/bin/python3 -m pytest -q -s -p no:cacheprovider tests/network/test_moves.py

upkeep: all
	@tools/packages install build demo test
	@mkdir -p $(build)/moves && chmod 777 $(build)/moves
	$(sudo) tools/isolated $(build)/moves $(build) env HA_BUILD=/dev/shm/ha-build HA_UPKEEP=$(or $(UPKEEP),10) \
		HA_MOVES_RATE=$(or $(RATE),5000) /usr/bin/python3 -m pytest -q -s -p no:cacheprovider tests/network/test_upkeep_load.py

bench bench-quick bench-moves:
	@tools/packages install build demo bench
	@$(MAKE) --no-print-directory all
	$(sudo) bench/run --build $(build) $(patsubst bench-%,--%,$(filter bench-%,$@)) $(BENCH)

model: test-deps
	@tools/model $(if $(FULL),--full)

fuzz: test-deps
	@tools/fuzz --seconds $(SECONDS)

fuzz-coverage: test-deps
	@tools/fuzz --coverage

hang: all test-deps
	@mkdir -p $(build)/reports
	@$(sudo) env HA_HANG_SECONDS=60 HA_BUILD=/dev/shm/ha-build tools/isolated $(build)/reports $(build) \
		/usr/bin/python3 -m pytest -q tests/network/test_hang.py

build-sim/build.ninja:
	@meson setup build-sim -Dtests=true --buildtype=release -Db_lto=true

sim: test-deps build-sim/build.ninja
	@ninja -C build-sim --quiet sim/sim
	@build-sim/sim/sim $(SIM)

mutations: test-deps
	@tests/mutations/run

coverage: test-deps
	@tools/coverage

# The prefix is compiled in (it is where `ha` looks for its other half), so it is set again here.
install: $(build)/build.ninja
	@meson configure $(build) $(setup)
	@ninja -C $(build)
	DESTDIR='$(DESTDIR)' meson install -C $(build) --no-rebuild
	@echo 'Set the interface and the address in $(DESTDIR)/etc/ha/ha.conf, then: systemctl enable --now ha'

check-format:
	clang-format --dry-run --Werror $(c_files)

format:
	clang-format -i $(c_files)

clean:
	rm -rf $(build) build-test build-asan build-fuzz build-fuzz-coverage build-sim build-mutations \
		build-coverage
