import type { Vector } from '../../local-model/vectors.ts';

/**
 * What the vectors of English texts have in common: the mean over 172 plain sentences written for it, by subject: news
 * (weight 3), support questions (5), and requests to an assistant, chat, reviews and other prose (1 each). Without the
 * weight of the first two, which are the likeliest documents, zero-shot answers on short messages are worse. It belongs
 * to the weights of the installed encoder. Little-endian 32-bit floats.
 */
export const MEAN_VECTOR: Vector = readVector(
  [
    'aA+yuxl8gbyqE0I89ObAvFguGDwSBoK8oHdxPDHvNjx55wO93q0eO1PPGTyP+py7m8RevIB0gbxiX/y8SVcTPGA3kbsGmMI7iGpCu/DvsDxiYj08',
    'xvfrOsfoP7w3k7g72rT1uxw+LrtsSqw72T/qO3r+f7zaKUa8ZKgcPLWyjzsqRYU8fa8OvYN6mDwPxM26QIknvYR7+LuAr628YHa/ugKgkbv+0Ja7',
    'MIoKPaJQ5DoJeq68ziigvOnyHrwT2sw7onMHPWKggrujjJU7XHS6PJ9xtzxXt5y64QqFu5uFGzy7fcG86b0KvCEFkruNxCG8lMAGuxqOszvOGi69',
    'yoEMO3rXrLv3tGg8p+WrPAIyorvV4Hg80ydLPG6vTrt32T07zPcKvP3UiLqRvXU8xzjNvNp0KLxFdz09zN3xu2IakDso9M482Im5vEHYKbzGvnA8',
    'LKeGvKUkHD2SgpQ8v5fQu87ihTyTYpK8i02kOitvOjyLUl08AQa+OhgVp7y8DtA8mDiCvC4WW7yohcm7pTWFuxLgjzwxnG+85yb6OlyoSDy1Z5I5',
    'y3psvB2myrzqCsA7XbE5vEvYXjyfthO7fbQqOnchcLzZYp+8Ze6ZOsfbjTveGLq6NnUevPbQv7viZ1q8iZCgu1Jb6bpWhnc85FjJOy2o17x55T88',
    'rw90u8CuDbutxf476+8sO/kShDtKXxa9NWI6O+mF3zyxjPu8qyAlvbLadDxcRXE8X1j3OpCPAj2E3sa50kh0vG9fwzzTRv08jE77Ow983ru3vRM8',
    'RUrQOx6ycToDs7m4r3OivGwVvLwp7588uBwcvE1ukjv7Czo7SIeNvOKobrxakpo8ftu1urTVDjuoVMw8KWo3Pche6LyClH28tEOavOBI3jkqFKe8',
    'KXQbu7h3DD0fjsE8pgyxO/Y9KrsXbY08KfpwPCCqED1ouTA73LnTO1J0PDzIRO47DHnQOihOMzyHds46KwkCvRjfu7xeWre7Cr51PKJ5Sz3LZKu8',
    'eCYtPJt4jTujsNU8/liTPDb7mjx5uJe7idbhvCA8BzwBY8Y8ht/nOuT3+LtIcSc7HZOjPPd8h7w4Vsy88UT2PK20W7xQW1m82T3lO+MkozsPTfI8',
    'LSLxvHQcy7sXvl676jJ1uinxeTvsf9i7ySSqOydErjwEzZw8t6sHPC8YiTy60q87qXi1u8ha0rxrNvW8ze6cPPsJajpgn+e7P5mMu6fBBTy1HCi8',
    'SYDAPDhm0rsvDgs9qJuVPKiR5DyitbI8DoeAPEeoYzyckgg9q2UnvIYip7vjgKI8qib6OWMbCbwGi0W8uLlbvNHolrqDvIC8leWTu2e7grwhkKC8',
    'fWCqO7hvSL0cQyi8E3+RPFLJMjyipHE8s1mpPPLuIDzRfhK8qHaNvHodjzv/RKG7IBtKvF3pxzzum7Q8wmQgPPtjPrtfMqO58UuRPBuGjLwkLrs5',
    'MZHnu6r7zLz86nW89RsQvbEFErtPDNi7dvGYPIR0vrw1Cja6RaIgPPaVqDx+JjS7R2xou3BK1zsl+kY8LCHLu7rbkDuwwVU84E3+O+XLFbygGU48',
    'BDOxvB8rWb037A09FK9VPCuYFbzvrgE9HmWxvD+2zbtFcCy9O7RfO4S8dLx0Y7y8JG+gPDkyNrubHJO8Urzgu8GCkTvsl4c7jf7NuziACryj6v68',
    'cPQ7vajWirxQRe28PkzVPNRAGbyQV7g82qkcO9jmo7xwMva8Lvhvu6QfHbwsGzS7se7Uu/ebBDxcx4q8tm+0O+d4BDy26++8bx8pvIk0Rz2dh7U7',
    '7qfDux8QrjwRjZm7z0iHvCZw4LwXmG+8lz+COlZfT7zIjFc83yVDPO7SZDyVMtA859aLuyorMz0PMi28IyYyvJcWo7zdKbc7o6lpPEczkjy3O2m6',
    'E0UUvWSRhzyQqpu8otktPcpoLzyHBTw8H7rHvHOSprwqR9W8uqjEPEXR+zvVmRi6tbcKvLmC+bxsGnG8igc4vG8YRbloWNC8v9duvDBgPbzupLa8',
    'DMvFvECHOrvsY6y8LcV0PIdMqLw38gk7sk4XPMl3xbtc0Gi8ppHPPBp3cLsdLC48eowQOzN6b7zzh6C8yzIavPd/jLxaJQU9xIrsPMu/lDz6/7+8',
    'VcY9PNPX27xSVlg7WY3hOzEaqTw30fY71aKivHyr9Tw6hzm8Sj+APEJ3ljvSmLs75xpSPEl/YzuLpbS8EbI7PdqZw7si0Am88mBPu6vBVDqhrra8',
    'ZZzBOxSNKjyEw248bMTPu+uAwzv/qUw8FouPvNDUn7ojh9a6ha6fPBFXlTvGFwE71vAju9AHnDwUbfG75bHTvHh247s7VuY5XkhBvJre6LzmD+w7',
    'wTu8PKrXaLxPFCU9+KSpPEAogLwE3Ci8bT4PvJIdsDwgfC880my1uxAXZ7xwMek8Q1FPPGjRdDwuumK8dEQTvOtP07zIjb88HFbJu6v0oDz+o047',
    'T2NCPKLMiDvRGHO8+PJhPUVMXzwG+SE95+5CPGXiLL2T92s8ujngvNMymrzfb+M6B8RePE3cjrvNVka8vGjlO3oFmzuwfDK8SGkmvLJqtrt83yw8',
    'LKxZvbrJBTipLhw76fflO8dXPL3Hd768GY6FPP7jrjvOtgA6ksPhu81UdLtnOUg8leOyPBWCp7y7ovS6nOcoPbsYk7xRU4W8VRDuu8ze9LwcbHY8',
    'MF6au8oHIruyIjm8YpSvunABajzJEsG8jHzAvJeq9Tk=',
  ].join(''),
);

function readVector(base64: string): Vector {
  const bytes = Buffer.from(base64, 'base64');
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
}
