/* The Arduino API as a process: Serial is standard input and output, behind which a test puts a
 * pseudo-terminal. It has the habits that real cores have and that a port must live with, and it
 * ends the process with words where the sketch does what would not work on a board.
 */
#include <Arduino.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "heap.h"

/* USB ports take no more than a packet at a time. */
static const size_t PACKET_BYTES = 61;
static const int PATIENCE = 1000;

/* What write() returns while the host has not opened a USB port; SAMD cores say -1, as a size. */
#if defined(ARDUINO_ARCH_SAMD)
static const size_t NOT_OPEN = static_cast<size_t>(-1);
#else
static const size_t NOT_OPEN = 0;
#endif
#if defined(ARDUINO_ARCH_MBED) || defined(ARDUINO_ARCH_RENESAS) || defined(ARDUINO_ARCH_SAMD)      \
    || defined(TEENSYDUINO)
static bool opened = false;
#else
static bool opened = true; /* a UART asks nobody */
#endif

SerialPort Serial;

static bool begun;
static uint8_t received[256];
static size_t used, filled;
static int idle_looks;

static void fail(const char *what)
{
    fprintf(stderr, "sketch: %s\n", what);
    exit(EXIT_FAILURE);
}

static void restart(void)
{
    execl("/proc/self/exe", "sketch", static_cast<char *>(NULL));
    fail("cannot start again");
}

static uint64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

static bool input_waits(void)
{
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};
    return poll(&input, 1, 0) > 0 && (input.revents & POLLIN) != 0;
}

/* Waits for input instead of for all of the time, so that tests are quick. */
static void rest(int milliseconds)
{
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};
    idle_looks = 0;
    if (poll(&input, 1, milliseconds) > 0 && (input.revents & POLLIN) == 0) {
        usleep(1000); /* hung up: the host has closed the port, and may open it again */
    }
}

unsigned long millis(void)
{
    return static_cast<unsigned long>(nanoseconds() / 1000000u);
}

unsigned long micros(void)
{
    return static_cast<unsigned long>(nanoseconds() / 1000u);
}

void delay(unsigned long milliseconds)
{
    const unsigned long start = millis();
    idle_looks = 0;
    if (milliseconds <= 1) {
        rest(1);
    }
    while (millis() - start < milliseconds && milliseconds > 1) {
        usleep(500);
    }
}

void yield(void)
{
#if !defined(ARDUINO_ARCH_ESP32) /* where it does not reach tasks of a lower priority */
    rest(1);
#endif
}

void SerialPort::begin(unsigned long baud)
{
    if (baud == 0) {
        fail("Serial.begin(0)");
    }
    begun = true;
}

int SerialPort::available()
{
    if (!begun) {
        fail("Serial is used before Serial.begin()");
    }
    if (used == filled) {
        const bool ready = input_waits();
        const ssize_t count = ready ? ::read(STDIN_FILENO, received, sizeof(received)) : 0;
        used = 0;
        filled = count > 0 ? static_cast<size_t>(count) : 0;
        if (ready && count == 0) {
            exit(EXIT_SUCCESS); /* a pipe's other end has gone for good */
        }
    }
    if (used < filled) {
        idle_looks = 0;
    } else if (++idle_looks > PATIENCE) {
        fail("it waits for bytes and lets nobody else work");
    }
    return static_cast<int>(filled - used);
}

int SerialPort::read()
{
    return available() > 0 ? received[used++] : -1;
}

size_t SerialPort::write(const uint8_t *data, size_t bytes)
{
    if (!begun) {
        fail("Serial is used before Serial.begin()");
    }
    opened = opened || input_waits(); /* who sends has opened the port */
    if (!opened) {
        return NOT_OPEN;
    }
    const ssize_t count = ::write(STDOUT_FILENO, data, bytes < PACKET_BYTES ? bytes : PACKET_BYTES);
    return count > 0 ? static_cast<size_t>(count) : 0;
}

size_t SerialPort::write(uint8_t byte)
{
    return write(&byte, 1);
}

void SerialPort::flush()
{
}

#if defined(ARDUINO_ARCH_ESP32)

EspClass ESP;

static bool watched = true;

size_t SerialPort::setRxBufferSize(size_t bytes)
{
    if (begun) {
        fail("setRxBufferSize() after begin() does nothing");
    }
    return bytes;
}

void EspClass::restart()
{
    ::restart();
}

uint32_t EspClass::getCycleCount()
{
    return static_cast<uint32_t>(nanoseconds() * 24 / 100);
}

uint32_t getCpuFrequencyMhz(void)
{
    return 240;
}

void disableCore0WDT(void)
{
    watched = false;
}

size_t getArduinoLoopTaskStackSize(void)
{
    return 8192;
}

unsigned int uxTaskGetStackHighWaterMark(void *task)
{
    return task == NULL ? 5000 : 0;
}

void *heap_caps_aligned_alloc(size_t alignment, size_t bytes, uint32_t capabilities)
{
    return heap_allocate(alignment, bytes, capabilities);
}

#elif defined(TEENSYDUINO)

ResetRegister SCB_AIRCR;
volatile uint32_t F_CPU_ACTUAL = 600000000;

void ResetRegister::operator=(uint32_t value)
{
    if (value == 0x05FA0004u) {
        restart();
    }
}

#else

uint32_t SystemCoreClock = 64000000;

void NVIC_SystemReset(void)
{
    restart();
}

#endif

#if defined(ARDUINO_ARCH_STM32) || defined(ARDUINO_ARCH_RP2040)

void uart_init(void *instance, uint32_t baud)
{
    (void)instance;
    (void)baud;
    fail("somebody takes uart_init() for his own");
}

#endif

#if defined(ARDUINO_ARCH_MBED)

void serial_init(void *instance, int tx, int rx)
{
    (void)instance;
    (void)tx;
    (void)rx;
    fail("somebody takes serial_init() for his own");
}

#endif

int main()
{
    setup();
#if defined(ARDUINO_ARCH_ESP32) && CONFIG_FREERTOS_UNICORE
    if (watched) {
        fail("a long inference would run into the task watchdog");
    }
#endif
    for (;;) {
        loop();
    }
}
