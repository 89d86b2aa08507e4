/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sosim's own Master Boot Record for the nRF52840: guest code for flash page 0, in place of Nordic's.
 *
 * Sources: what Nordic publishes on the interface (nrf_mbr.h of the nRF5 SDK; SoftDevice Specification,
 * "Master boot record and bootloader"), nRF52840 Product Specification, chapter NVMC.
 *
 * Modelled: the start order after reset (pending bootloader copy, vector table base, bootloader,
 * SoftDevice), all commands of SD_MBR_COMMAND with their return codes, and a bootloader copy that a power
 * loss at any flash operation cannot break. Exceptions are handed on by mbr_vectors.S.
 *
 * Not modelled: write protection by ACL during copies; Nordic's layout of the parameter page (a copy begun
 * by one MBR cannot be finished by the other); codes the interface leaves open (bad alignment, overlap) are
 * ours and marked below.
 */
#include <stdbool.h>
#include <stdint.h>

#define PAGE_SIZE  0x1000u
#define MBR_SIZE   0x1000u
#define SD_BASE    MBR_SIZE
#define FLASH_SIZE 0x100000u
#define ERASED     0xFFFFFFFFu

#define REG(address)      (*(volatile uint32_t *)(address))
#define FORWARD_ADDRESS   REG(0x20000000u)
#define MBR_BOOTLOADER    REG(0xFF8u)
#define MBR_PARAM_PAGE    REG(0xFFCu)
#define UICR_NRFFW0       REG(0x10001014u)
#define UICR_NRFFW1       REG(0x10001018u)
#define NVMC_READY        REG(0x4001E400u)
#define NVMC_CONFIG       REG(0x4001E504u)
#define NVMC_ERASEPAGE    REG(0x4001E508u)
#define NVMC_CONFIG_REN   0u
#define NVMC_CONFIG_WEN   1u
#define NVMC_CONFIG_EEN   2u
#define SCB_AIRCR         REG(0xE000ED0Cu)
#define AIRCR_SYSRESETREQ 0x05FA0004u

enum {
    NRF_SUCCESS = 0,
    NRF_ERROR_INTERNAL = 3,
    NRF_ERROR_NO_MEM = 4,
    NRF_ERROR_INVALID_PARAM = 7,
    NRF_ERROR_INVALID_LENGTH = 9,
    NRF_ERROR_NULL = 14,
    NRF_ERROR_FORBIDDEN = 15,
    NRF_ERROR_INVALID_ADDR = 16,
};

enum {
    COPY_BL = 0,
    COPY_SD = 1,
    INIT_SD = 2,
    COMPARE = 3,
    VECTOR_TABLE_BASE_SET = 4,
    IRQ_FORWARD_ADDRESS_SET = 6,
};

/* The caller's argument: the command and up to three words whose meaning depends on it. */
struct command {
    uint32_t number;
    uint32_t arg[3];
};

/*
 * What outlives the reset, at the start of the parameter page. The magic is programmed last: until all its
 * bits are in place there is no command. The CRC tells a record from one that an interrupted erase has begun
 * to dissolve.
 */
#define RECORD_MAGIC 0x4D425230u
struct record {
    uint32_t number;
    uint32_t arg[2];
    uint32_t crc;
    uint32_t magic;
};
#define RECORD_WORDS (sizeof(struct record) / 4)

#define COPY_ATTEMPTS 3

void mbr_call_softdevice(void);
_Noreturn void mbr_jump(uint32_t stack, uint32_t entry);
_Noreturn void mbr_reset(void);
void mbr_command(uint32_t *frame);

static void nvmc_mode(uint32_t mode)
{
    NVMC_CONFIG = mode;
    __asm volatile("dsb\n\tisb" ::: "memory");
}

static void nvmc_wait(void)
{
    while ((NVMC_READY & 1) == 0)
        ;
}

static void flash_erase(uint32_t page)
{
    nvmc_mode(NVMC_CONFIG_EEN);
    NVMC_ERASEPAGE = page;
    nvmc_wait();
    nvmc_mode(NVMC_CONFIG_REN);
}

static void flash_program(uint32_t to, const uint32_t *from, uint32_t words)
{
    nvmc_mode(NVMC_CONFIG_WEN);
    for (uint32_t i = 0; i < words; i++) {
        if (from[i] == ERASED)
            continue;
        REG(to + 4 * i) = from[i];
        nvmc_wait();
    }
    nvmc_mode(NVMC_CONFIG_REN);
}

static bool same(const uint32_t *a, const uint32_t *b, uint32_t words)
{
    for (uint32_t i = 0; i < words; i++) {
        if (((const volatile uint32_t *)a)[i] != b[i])
            return false;
    }
    return true;
}

static uint32_t page_down(uint32_t address)
{
    return address & ~(PAGE_SIZE - 1);
}

static uint32_t page_up(uint32_t address)
{
    return page_down(address + PAGE_SIZE - 1);
}

/* Erases every page the destination touches, then copies. Starts over from nothing, so repeating is safe. */
static bool copy(uint32_t to, uint32_t from, uint32_t words)
{
    for (uint32_t page = page_down(to); page < to + 4 * words; page += PAGE_SIZE)
        flash_erase(page);
    flash_program(to, (const uint32_t *)from, words);
    return same((const uint32_t *)to, (const uint32_t *)from, words);
}

static _Noreturn void sleep_for_ever(void)
{
    for (;;)
        __asm volatile("wfe");
}

static _Noreturn void system_reset(void)
{
    __asm volatile("dsb" ::: "memory");
    SCB_AIRCR = AIRCR_SYSRESETREQ;
    __asm volatile("dsb" ::: "memory");
    for (;;)
        ;
}

/* Returns ERASED when none is set. The word in flash has priority over the UICR, as the interface says. */
static uint32_t bootloader_address(void)
{
    uint32_t address = MBR_BOOTLOADER != ERASED ? MBR_BOOTLOADER : UICR_NRFFW0;
    bool usable = address >= MBR_SIZE && address < FLASH_SIZE && address % PAGE_SIZE == 0;
    return usable ? address : ERASED;
}

static uint32_t param_page(void)
{
    uint32_t address = MBR_PARAM_PAGE != ERASED ? MBR_PARAM_PAGE : UICR_NRFFW1;
    bool usable = address >= MBR_SIZE && address < FLASH_SIZE && address % PAGE_SIZE == 0;
    return usable ? address : ERASED;
}

static bool inside(uint32_t start, uint32_t bytes, uint32_t low, uint32_t high)
{
    return start >= low && start <= high && bytes <= high - start;
}

static bool overlap(uint32_t a, uint32_t a_bytes, uint32_t b, uint32_t b_bytes)
{
    return a < b + b_bytes && b < a + a_bytes;
}

/* CRC-32 over the command's words, most significant bit first: small rather than fast. */
static uint32_t record_crc(const struct record *record)
{
    const uint32_t *word = &record->number;
    uint32_t crc = ERASED;
    for (uint32_t i = 0; i < 3; i++) {
        crc ^= word[i];
        for (uint32_t bit = 0; bit < 32; bit++)
            crc = (crc << 1) ^ ((crc >> 31) ? 0x04C11DB7u : 0);
    }
    return crc;
}

static bool record_valid(const struct record *record)
{
    return record->magic == RECORD_MAGIC && record->crc == record_crc(record);
}

static bool blank(uint32_t from, uint32_t to)
{
    for (; from < to; from += 4) {
        if (REG(from) != ERASED)
            return false;
    }
    return true;
}

static bool record_store(uint32_t page, uint32_t number, uint32_t arg0, uint32_t arg1)
{
    struct record record = {number, {arg0, arg1}, 0, RECORD_MAGIC};
    record.crc = record_crc(&record);
    flash_erase(page);
    flash_program(page, &record.number, RECORD_WORDS);
    return same((const uint32_t *)page, &record.number, RECORD_WORDS);
}

/* Asked before the command is stored and again before it is carried out. */
static uint32_t check_copy_bl(uint32_t source, uint32_t words)
{
    uint32_t bootloader = bootloader_address();
    uint32_t page = param_page();
    if (page == ERASED)
        return NRF_ERROR_NO_MEM;
    if (bootloader == ERASED)
        return NRF_ERROR_FORBIDDEN;
    if (words == 0 || words > FLASH_SIZE / 4)
        return NRF_ERROR_INVALID_LENGTH;
    uint32_t bytes = 4 * words;
    uint32_t erased = page_up(bytes);
    if (!inside(source, bytes, 0, FLASH_SIZE) || !inside(bootloader, bytes, MBR_SIZE, FLASH_SIZE))
        return NRF_ERROR_INVALID_LENGTH;
    /* Ours from here: a copy whose source or record would be erased on the way could never be finished. */
    if (overlap(source, bytes, bootloader, erased) || overlap(source, bytes, page, PAGE_SIZE) ||
        overlap(page, PAGE_SIZE, bootloader, erased))
        return NRF_ERROR_INVALID_LENGTH;
    return source % 4 == 0 ? NRF_SUCCESS : NRF_ERROR_INVALID_ADDR;
}

static uint32_t store_and_reset(uint32_t number, uint32_t arg0, uint32_t arg1)
{
    /* An interrupt handler that used the NVMC now could end our write mode half-way. */
    uint32_t primask;
    __asm volatile("mrs %0, primask\n\tcpsid i" : "=r"(primask)::"memory");
    if (record_store(param_page(), number, arg0, arg1))
        system_reset();
    __asm volatile("msr primask, %0" ::"r"(primask) : "memory");
    return NRF_ERROR_INTERNAL;
}

static uint32_t copy_bl(uint32_t source, uint32_t words)
{
    uint32_t result = check_copy_bl(source, words);
    return result == NRF_SUCCESS ? store_and_reset(COPY_BL, source, words) : result;
}

/* Carried out at once: only the caller knows how to take up a SoftDevice copy after a power loss. */
static uint32_t copy_sd(uint32_t source, uint32_t to, uint32_t words)
{
    uint32_t bytes = 4 * words;
    if (words % (PAGE_SIZE / 4) != 0 || words > FLASH_SIZE / 4 || !inside(to, bytes, MBR_SIZE, FLASH_SIZE))
        return NRF_ERROR_INVALID_LENGTH;
    uint32_t first = page_down(to);
    if (overlap(source, bytes, first, page_up(to + bytes) - first))
        return NRF_ERROR_INVALID_LENGTH;
    if ((source | to) % 4 != 0)
        return NRF_ERROR_INVALID_ADDR;
    return copy(to, source, words) ? NRF_SUCCESS : NRF_ERROR_INTERNAL;
}

static uint32_t init_sd(void)
{
    /* With the forward address already its own the SoftDevice would start the application, not return. */
    if (FORWARD_ADDRESS != SD_BASE) {
        mbr_call_softdevice();
        FORWARD_ADDRESS = SD_BASE;
    }
    return NRF_SUCCESS;
}

static uint32_t vector_table_base_set(uint32_t address)
{
    if (param_page() == ERASED)
        return NRF_ERROR_NO_MEM;
    if (address >= FLASH_SIZE)
        return NRF_ERROR_INVALID_ADDR;
    return store_and_reset(VECTOR_TABLE_BASE_SET, address, 0);
}

static uint32_t run_command(const struct command *command)
{
    switch (command->number) {
    case COPY_BL:
        return copy_bl(command->arg[0], command->arg[1]);
    case COPY_SD:
        return copy_sd(command->arg[0], command->arg[1], command->arg[2]);
    case INIT_SD:
        return init_sd();
    case COMPARE:
        return same((const uint32_t *)command->arg[0], (const uint32_t *)command->arg[1], command->arg[2])
                   ? NRF_SUCCESS
                   : NRF_ERROR_NULL;
    case VECTOR_TABLE_BASE_SET:
        return vector_table_base_set(command->arg[0]);
    case IRQ_FORWARD_ADDRESS_SET:
        FORWARD_ADDRESS = command->arg[0];
        return NRF_SUCCESS;
    default:
        return NRF_ERROR_INVALID_PARAM;
    }
}

/* frame is the exception frame of the caller: r0 holds the command on entry and the result on return. */
void mbr_command(uint32_t *frame)
{
    frame[0] = run_command((const struct command *)frame[0]);
}

static _Noreturn void start(uint32_t vectors)
{
    FORWARD_ADDRESS = vectors;
    mbr_jump(REG(vectors), REG(vectors + 4));
}

/*
 * Finishes what the parameter page asks for. Only a verified copy takes the record away; if the flash will
 * not hold the new bootloader, the next reset tries again rather than start a broken one.
 */
static void finish_copy_bl(uint32_t page, const struct record *record)
{
    if (check_copy_bl(record->arg[0], record->arg[1]) == NRF_SUCCESS) {
        uint32_t attempt = 0;
        while (!copy(bootloader_address(), record->arg[0], record->arg[1])) {
            if (++attempt == COPY_ATTEMPTS)
                sleep_for_ever();
        }
    }
    flash_erase(page);
    system_reset();
}

/* Returns the vector table set by VECTOR_TABLE_BASE_SET, or 0 for the default. */
static uint32_t read_params(void)
{
    uint32_t page = param_page();
    if (page == ERASED)
        return 0;
    const struct record *record = (const struct record *)page;
    uint32_t record_end = page + sizeof(*record);
    if (!record_valid(record)) {
        /* Clear up after a store or erase that was cut off; but a full page was never ours: leave that alone.
         */
        if (!blank(page, record_end) && blank(record_end, page + PAGE_SIZE))
            flash_erase(page);
        return 0;
    }
    if (record->number == COPY_BL)
        finish_copy_bl(page, record);
    return record->number == VECTOR_TABLE_BASE_SET ? record->arg[0] : 0;
}

_Noreturn void mbr_reset(void)
{
    uint32_t vectors = read_params();
    if (vectors == 0)
        vectors = bootloader_address();
    if (vectors == ERASED && REG(SD_BASE + 4) != ERASED)
        vectors = SD_BASE;
    if (vectors == ERASED)
        sleep_for_ever();
    start(vectors);
}
